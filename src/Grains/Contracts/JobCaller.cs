using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>
/// Who asks for a change of a job. It travels with the command, so that the right is checked in the same turn as the job is changed.
/// </summary>
/// <param name="Name">As the token told; empty for the one client of a silo of its own.</param>
/// <param name="IsAdmin">May change jobs of all users.</param>
[GenerateSerializer, Immutable]
public sealed record JobCaller([property: Id(0)] string Name, [property: Id(1)] bool IsAdmin)
{
    /// <summary>Why the caller may not change this job; null: he may.</summary>
    public string? Refuse(JobId id, string owner) => IsAdmin || Name == owner
        ? null
        : $"Job {id} belongs to user {owner}, and user {Name} may change only their own jobs; ask an admin.";
}
