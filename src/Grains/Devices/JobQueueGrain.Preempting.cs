using Distributed.Grains.Jobs;

namespace Distributed.Grains.Devices;

// Where the operator allows it, jobs of lower priority make room.
internal sealed partial class JobQueueGrain
{
    /// <summary>The job for which others were asked to go, who they are, and when they were asked.</summary>
    private (string JobId, string Others, long Since)? claim;

    /// <summary>The job that the next free silos are for.</summary>
    private string? Claimant => claim is { } known && waiting.ContainsKey(known.JobId) && time.GetElapsedTime(known.Since) < options.Value.Claim ? known.JobId : null;

    /// <summary>Helps one job at a time: what its silos leave to others is known once it has begun.</summary>
    private void PreemptOne(QueuePlan plan, IReadOnlyList<QueueSilo> silos)
    {
        if (!options.Value.Preempts || unheard.Count > 0 || Claimant is not null || plan.Blocked is not [var job, ..]) return;
        // What has only just begun would lose its start and gain nothing.
        var settled = holders.Values.Where(h => time.GetElapsedTime(h.Begun) >= options.Value.Settled).Select(h => h.Holder);
        var gone = QueuePlanner.Preempt(job, settled, [.. holders.Values.Select(h => h.Holder)], silos, quotas, options.Value, time.GetUtcNow(), [.. faults.Values]);
        if (gone.Count == 0) return;
        claim = (job.JobId, string.Join(", ", gone.Select(h => h.JobId)), time.GetTimestamp());
        // Not awaited: a job that does not answer holds up nobody.
        foreach (var holder in gone) AskToMove(holder.JobId, $"job {job.JobId} has a higher priority and needs its silos").Ignore();
    }

    private JobFinding? ReasonOf(string jobId)
    {
        var reason = reasons.GetValueOrDefault(jobId);
        return reason is null || Claimant != jobId ? reason : reason with { What = $"{reason.What}; {claim!.Value.Others}, of lower priority, makes room", Remedy = "It begins once a checkpoint is written there." };
    }
}
