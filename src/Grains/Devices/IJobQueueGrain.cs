using System.Collections.Immutable;
using Orleans.Concurrency;

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

    /// <summary>The silos and what they do.</summary>
    Task<ClusterView> Describe();
}

/// <summary>The cluster at a glance.</summary>
/// <param name="Silos">By name.</param>
/// <param name="Waiting">Jobs that wait for silos.</param>
/// <param name="Running">Jobs that hold some.</param>
[GenerateSerializer, Immutable]
public sealed record ClusterView([property: Id(0)] ImmutableArray<SiloView> Silos, [property: Id(1)] int Waiting, [property: Id(2)] int Running);

/// <param name="Slots">0 for a silo that does not answer.</param>
/// <param name="Job">The job that holds its slots; null when none does.</param>
[GenerateSerializer, Immutable]
public sealed record SiloView([property: Id(0)] string Name, [property: Id(1)] SiloCondition Condition, [property: Id(2)] int Slots, [property: Id(3)] string? Job);

public enum SiloCondition
{
    Free,
    Busy,

    /// <summary>Leaving: takes no more ranks.</summary>
    Draining,

    /// <summary>Does not answer.</summary>
    Silent,
}
