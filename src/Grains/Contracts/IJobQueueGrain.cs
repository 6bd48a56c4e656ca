using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Queue;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>The one queue of the cluster (key 0): orders the jobs that wait and leases silos to them.</summary>
/// <remarks>Only the list of jobs is stored; who waits and who holds silos is asked of the jobs and silos again after a loss.</remarks>
public interface IJobQueueGrain : IGrainWithIntegerKey
{
    /// <summary>Lines a job up, or changes what it asks for; its grain is told to begin when it has its silos.</summary>
    Task Enqueue(QueuedJob job);

    /// <summary>Keeps a place in the line for a job that is about to be stored, for a minute at most.</summary>
    /// <returns>Null: it may line up. Otherwise why not: its user has as many waiting, or as much on disk, as he may have.</returns>
    [Alias("083C7D3B")]
    Task<string?> Admit(JobId jobId, string user);

    /// <summary>A job that runs says what it has on disk.</summary>
    /// <param name="bytes">Null: as known.</param>
    /// <returns>Null: there is room for more. Otherwise why not: its user has as much as he may have.</returns>
    [ResponseTimeout("00:00:10")]
    [Alias("551A37B2")]
    Task<string?> Weigh(JobId jobId, string user, long? bytes);

    /// <summary>Takes a job out of the line, or its silos back.</summary>
    /// <param name="ended">The job has ended: nobody need look after it.</param>
    /// <param name="user">Whose it is; null: as known.</param>
    [Alias("20E87628")]
    Task Leave(JobId jobId, bool ended, string? user = null);

    /// <summary>Takes a job off the list.</summary>
    [Alias("18E8A188")]
    Task Forget(JobId jobId);

    /// <summary>Ids of all jobs, in the order in which they first lined up.</summary>
    /// <remarks>Texts, as silos of an earlier version expect them: an answer bears the name of its type.</remarks>
    Task<ImmutableArray<string>> List();

    /// <summary>The silos and what they do.</summary>
    Task<ClusterView> Describe();

    /// <returns>Why the job waits; null when it does not, or nobody knows yet.</returns>
    [Alias("64690E1B")]
    Task<JobFinding?> Explain(JobId jobId);

    /// <summary>
    /// Time to look whether jobs can begin, or silos and grains were lost; each silo's <see cref="QueueKeeper"/> says so.
    /// </summary>
    /// <param name="changed">The membership has.</param>
    /// <returns>Where the queue lives.</returns>
    Task<SiloAddress> Look(bool changed);
}

/// <summary>The cluster at a glance.</summary>
/// <param name="Silos">By name.</param>
/// <param name="Waiting">Jobs that wait for silos.</param>
/// <param name="Running">Jobs that hold some.</param>
[GenerateSerializer, Immutable]
public sealed record ClusterView(
    [property: Id(0)] ImmutableArray<SiloView> Silos, [property: Id(1)] int Waiting, [property: Id(2)] int Running);

/// <param name="Slots">0 for a silo that does not answer.</param>
/// <param name="Job">The job that holds its slots; null when none does.</param>
[GenerateSerializer, Immutable]
public sealed record SiloView(
    [property: Id(0)] string Name, [property: Id(1)] SiloCondition Condition, [property: Id(2)] int Slots, [property: Id(3)] JobId? Job)
{
    /// <summary>Why it is passed over for some jobs; null: it is not.</summary>
    [Id(4)]
    public string? Fault { get; init; }

    /// <summary>Of its machine and build; empty for a silo that does not answer.</summary>
    [Id(5)]
    public string Fingerprint { get; init; } = "";
}

public enum SiloCondition
{
    Free,
    Busy,

    /// <summary>Leaving or drained by an operator: takes no more ranks.</summary>
    Draining,

    /// <summary>Does not answer.</summary>
    Silent,
}
