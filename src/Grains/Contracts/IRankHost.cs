using Distributed.Core.Events;
using Distributed.Core.Jobs;

namespace Distributed.Grains.Contracts;

/// <summary>Runs ranks on threads of this silo; the interface between the grains and the trainer.</summary>
public interface IRankHost
{
    /// <summary>Starts the rank's thread and returns at once.</summary>
    /// <returns>Completes when the thread has ended and its events are delivered; never faults.</returns>
    Task<RankEnd> Run(RankAssignment assignment);

    /// <value>A rank of any job runs on this silo, or has not been cleared away yet.</value>
    bool IsBusy { get; }

    /// <returns>What is missing here of the files that a job reads; null: nothing, as far as a look from outside tells.</returns>
    string? Lacks(JobId jobId, string specJson);

    /// <summary>Ends every rank of a generation on this silo at its next wait.</summary>
    /// <param name="atOnce">This process ends soon if one of them does not.</param>
    void Abort(JobId jobId, Generation generation, JobError reason, bool atOnce = false);
}
