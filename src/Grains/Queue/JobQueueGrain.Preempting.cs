using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Queue;

// Where the operator allows it, jobs of lower priority make room.
internal sealed partial class JobQueueGrain
{
    /// <summary>Of a long line, jobs that one look tries to help: each costs plans.</summary>
    private const int MostConsidered = 8;

    /// <summary>The job for which others were asked to go, who they are, and when they were asked.</summary>
    private (JobId JobId, IReadOnlyList<JobId> Others, long Since)? claim;

    /// <summary>The job that the next free silos are for.</summary>
    private JobId? Claimant => claim is { } known && waiting.TryGetValue(known.JobId, out var job) && !full.ContainsKey(job.User)
        && (time.GetElapsedTime(known.Since) < options.Value.Claim || known.Others.Any(IsGoing)) ? known.JobId : null;

    /// <summary>A job that was asked to go, and has not after so many claims, does not.</summary>
    private const int LongestGoing = 5;

    /// <summary>It was asked to go and is still in the step that it was in then, or writes its checkpoint.</summary>
    private bool IsGoing(JobId jobId) => time.GetElapsedTime(claim!.Value.Since) < options.Value.Claim * LongestGoing
        && holders.TryGetValue(jobId, out var held) && time.GetElapsedTime(held.Begun) > time.GetElapsedTime(claim!.Value.Since);

    /// <summary>Helps one job at a time: what its silos leave to others is known once it has begun.</summary>
    private void PreemptOne(QueuePlan plan, IReadOnlyList<QueueSilo> silos)
    {
        if (!options.Value.Preempts || Claimant is not null) return;
        claim = null;
        // What has only just begun would lose its start and gain nothing.
        List<QueueHolder> settled = [.. holders.Values.Where(h => time.GetElapsedTime(h.Begun) >= options.Value.Settled)
            .Select(h => h.Holder)], all = [.. holders.Values.Select(h => h.Holder)];
        foreach (var job in plan.Blocked.Take(MostConsidered))
        {
            var gone = QueuePlanner.Preempt(job, settled, all, silos, quotas, options.Value, time.GetUtcNow(), [.. faults.Values]);
            if (gone.Count == 0) continue;
            claim = (job.JobId, [.. gone.Select(h => h.JobId)], time.GetTimestamp());
            // Not awaited: a job that does not answer holds up nobody.
            foreach (var holder in gone) AskToMove(holder.JobId, $"job {job.JobId} has a higher priority and needs its silos").Ignore();
            return;
        }
    }

    private static string Names(IReadOnlyList<JobId> jobs) =>
        $"{(jobs.Count == 1 ? "job" : "jobs")} {string.Join(", ", jobs.Take(3))}{(jobs.Count > 3 ? $" and {jobs.Count - 3} more" : "")}";

    private JobFinding? ReasonOf(JobId jobId)
    {
        var reason = reasons.GetValueOrDefault(jobId);
        return reason is null || Claimant != jobId ? reason : reason with
        {
            What =
                $"{reason.What}; {Names(claim!.Value.Others)} of lower priority {(claim.Value.Others.Count == 1 ? "makes" : "make")} room",
            Remedy = "It begins once their checkpoints are written.",
        };
    }
}
