using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Client.Rendering;

/// <summary>A failed job in one message: what, why, where.</summary>
internal static class JobFailureText
{
    public static string Describe(JobId job, JobError error)
    {
        var where = new[]
        {
            error.Rank is { } rank ? $"rank {rank}" : null,
            error.Silo is { } silo ? $"silo {silo}" : null,
            error.Phase is { } phase ? $"phase {phase}" : null,
            error.Step is { } step ? $"step {step}" : null,
        }.OfType<string>().ToList();
        return $"job {job} failed [{error.Code}]: {error.Message}{(where.Count > 0 ? $" ({string.Join(", ", where)})" : "")}";
    }
}
