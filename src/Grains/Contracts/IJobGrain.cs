using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>One job from submission to its end; the key is the job id.</summary>
public interface IJobGrain : IGrainWithStringKey
{
    /// <summary>Takes a job; the same submission again changes nothing.</summary>
    Task<SubmitOutcome> Submit(JobSubmission submission);

    /// <returns>Null when nothing was submitted under this id.</returns>
    [AlwaysInterleave]
    Task<JobReport?> Status();

    /// <summary>Ends the job after the step in flight; a queued one at once; one that has ended stays as it is.</summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Stop(bool checkpoint, JobCaller by);

    /// <summary>Events from a number on; waits for news when there are none yet.</summary>
    /// <param name="wait">Longest wait, at most 20 s; after it the page is empty.</param>
    /// <returns>Null when nothing was submitted under this id.</returns>
    [AlwaysInterleave]
    Task<EventPage?> ReadEvents(long from, int max, TimeSpan wait);

    /// <summary>
    /// Lines of the job's log from a number on; waits for news when there are none yet. Same rules as <see cref="ReadEvents"/>.
    /// </summary>
    [AlwaysInterleave]
    Task<EventPage?> ReadLog(long from, int max, TimeSpan wait);

    /// <summary>Puts a stopped or failed job back into the queue, to go on from its last checkpoint.</summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Resume(JobCaller by);

    /// <summary>
    /// Another number of ranks from the next generation on; a running job writes a checkpoint and goes back into the queue.
    /// </summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Scale(int workers, JobCaller by);

    /// <summary>Forgets a job that does not run, with its events and its files.</summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Delete(JobCaller by);

    /// <returns>Null when nothing was submitted under this id.</returns>
    [AlwaysInterleave]
    Task<JobDiagnosis?> Why();

    /// <summary>Adds events of a silo that runs ranks of this job, in order.</summary>
    Task Append(EventBatch batch);

    /// <summary>The rank's thread has ended and all events of its silo up to then are appended.</summary>
    Task RankEnded(RankEnd end);

    /// <summary>The queue has leased these silos to the job.</summary>
    /// <returns>False: the job wants none, or other ones, by now.</returns>
    [Alias("0AE48143")]
    Task<bool> Begin(Generation generation, int ranks, ImmutableArray<LeasedSilo> silos);

    /// <summary>The job is to run on other silos: a running one writes a checkpoint and goes back into the queue.</summary>
    Task Move(string reason);

    /// <summary>A silo that ran ranks of this job was killed because memory ran out.</summary>
    Task Starved(string silo);

    /// <summary>Wakes the grain, after which it looks after its ranks itself, and tells the queue the job's state.</summary>
    [AlwaysInterleave, ResponseTimeout("00:00:05")]
    Task<JobStanding> Wake();

    /// <summary>Before a checkpoint is published: proves, by a write that only the current generation can do, that it may be.</summary>
    /// <returns>Null: it may. Otherwise why not.</returns>
    [ResponseTimeout("00:00:20")]
    [Alias("D499C973")]
    Task<JobError?> Confirm(Generation generation, long step);
}

/// <summary>Where a job stands with the queue; neither: it needs nothing.</summary>
[GenerateSerializer, Immutable]
public sealed record JobStanding([property: Id(0)] QueuedJob? Waiting, [property: Id(1)] JobHold? Holding)
{
    /// <summary>Silos where it failed.</summary>
    [Id(2)]
    public ImmutableArray<SiloFault> Faults { get; init; } = [];
}

/// <summary>The silos that a job's ranks are on.</summary>
[GenerateSerializer, Immutable]
public sealed record JobHold(
    [property: Id(0)] string User,
    [property: Id(1)] Generation Generation,
    [property: Id(2)] int Ranks,
    [property: Id(3)] ImmutableArray<LeasedSilo> Silos)
{
    /// <summary>What it would ask for if it lined up again; null: it is not to.</summary>
    [Id(4)]
    public QueuedJob? Next { get; init; }
}
