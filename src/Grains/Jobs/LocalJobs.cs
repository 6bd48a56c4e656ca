using System.Collections.Concurrent;

namespace Distributed.Grains.Jobs;

/// <summary>The running jobs whose grain lives on this silo; a silo that leaves must hand them over.</summary>
public sealed class LocalJobs
{
    private readonly ConcurrentDictionary<string, bool> running = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Running => [.. running.Keys];

    internal void Set(string jobId, bool isRunning)
    {
        if (isRunning) running[jobId] = true;
        else running.TryRemove(jobId, out _);
    }

    internal void Remove(string jobId) => running.TryRemove(jobId, out _);
}
