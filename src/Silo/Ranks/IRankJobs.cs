using Distributed.Core.Jobs;

namespace Distributed.Silo.Ranks;

/// <summary>Jobs with ranks on this silo.</summary>
internal interface IRankJobs
{
    IReadOnlyCollection<JobId> Jobs { get; }

    /// <summary>Ranks of a job have begun.</summary>
    event Action? Begun;
}
