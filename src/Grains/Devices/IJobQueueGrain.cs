using System.Collections.Immutable;

namespace Distributed.Grains.Devices;

/// <summary>The one queue of the cluster (key 0): orders the jobs that wait and leases silos to them.</summary>
public interface IJobQueueGrain : IGrainWithIntegerKey
{
    /// <summary>Lines a job up; its grain is told to begin when it has its silos.</summary>
    Task Enqueue(QueuedJob job);

    /// <summary>Takes a job out of the line, or its silos back.</summary>
    Task Leave(string jobId);

    /// <summary>Ids of all jobs that ever lined up, in that order.</summary>
    Task<ImmutableArray<string>> List();
}
