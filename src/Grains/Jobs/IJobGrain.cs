using System.Collections.Immutable;
using Distributed.Grains.Placement;
using Distributed.Grains.Workers;
using Orleans.Concurrency;

namespace Distributed.Grains.Jobs;

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
    Task<JobReport?> Stop(bool checkpoint);

    /// <summary>Events from a number on; waits for news when there are none yet.</summary>
    /// <param name="wait">Longest wait, at most 20 s; after it the page is empty.</param>
    /// <returns>Null when nothing was submitted under this id.</returns>
    [AlwaysInterleave]
    Task<EventPage?> ReadEvents(long from, int max, TimeSpan wait);

    /// <summary>Lines of the job's diary from a number on; waits for news when there are none yet. Same rules as <see cref="ReadEvents"/>.</summary>
    [AlwaysInterleave]
    Task<EventPage?> ReadLog(long from, int max, TimeSpan wait);

    /// <summary>Puts a stopped or failed job back into the queue, to go on from its last checkpoint.</summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Resume();

    /// <summary>Another number of ranks from the next generation on; a running job writes a checkpoint and goes back into the queue.</summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Scale(int workers);

    /// <summary>Forgets a job that does not run, with its events and its files.</summary>
    /// <returns>Null when nothing was submitted under this id.</returns>
    Task<JobChange?> Delete();

    /// <returns>Null when nothing was submitted under this id.</returns>
    [AlwaysInterleave]
    Task<JobDiagnosis?> Why();

    /// <summary>Adds events of a silo that runs ranks of this job, in order.</summary>
    Task Append(EventBatch batch);

    /// <summary>The rank's thread has ended and all events of its silo up to then are appended.</summary>
    Task RankEnded(RankEnd end);

    /// <summary>The queue has leased these silos to the job.</summary>
    Task Begin(ImmutableArray<LeasedSilo> silos);
}
