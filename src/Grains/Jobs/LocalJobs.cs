using System.Collections.Concurrent;
using Distributed.Core.Jobs;

namespace Distributed.Grains.Jobs;

/// <summary>The running jobs whose grain lives on this silo; a silo that leaves must hand them over.</summary>
public sealed class LocalJobs
{
    private readonly ConcurrentDictionary<JobId, bool> running = new();

    public IReadOnlyCollection<JobId> Running => [.. running.Keys];

    internal void Set(JobId jobId, bool isRunning)
    {
        if (isRunning) running[jobId] = true;
        else running.TryRemove(jobId, out _);
    }

    internal void Remove(JobId jobId) => running.TryRemove(jobId, out _);
}
