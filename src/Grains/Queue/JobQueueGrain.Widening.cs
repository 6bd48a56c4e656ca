using System.Globalization;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Orleans.Runtime;

namespace Distributed.Grains.Queue;

// A job that came back narrow, or began so, takes the slots that are free now.
internal sealed partial class JobQueueGrain
{
    /// <summary>By job, when it was last asked to and with how many ranks it ran then.</summary>
    private readonly Dictionary<JobId, (long At, int Ranks, TimeSpan Pause)> widened = [];

    /// <summary>Silos that are free, and since when it is these.</summary>
    private (string Silos, long Since) idle = ("", 0);

    /// <summary>Asks one job at most: the next look knows what it left to others.</summary>
    private void WidenOne(IReadOnlyList<QueueSilo> silos)
    {
        // Silos rarely come one by one: a job that takes the first would soon have to pause again for the others.
        var free = string.Join(',', silos.Where(s => s is { Holder: null, Draining: false }).Select(s => s.Silo.Address));
        if (free != idle.Silos) idle = (free, time.GetTimestamp());
        if (free.Length == 0 || time.GetElapsedTime(idle.Since) < options.Value.Settled) return;
        foreach (var gone in widened.Keys.Where(id => !holders.ContainsKey(id) && !waiting.ContainsKey(id) && !unheard.Contains(id))
            .ToList())
            widened.Remove(gone);
        var narrow = holders.Values.Where(h => time.GetElapsedTime(h.Begun) >= options.Value.Settled && !WasWidened(h.Holder.JobId)
            && !full.ContainsKey(h.Holder.User)).Select(h => h.Holder);
        var grant = QueuePlanner.Widen(
            narrow, [.. holders.Values.Select(h => h.Holder)], silos, quotas, options.Value, time.GetUtcNow(), [.. faults.Values]);
        if (grant is null) return;
        var id = grant.Job.JobId;
        var ranks = holders[id].Holder.Ranks;
        // In vain the last time, such as towards a silo that lacks its data: less and less often.
        var pause = widened.TryGetValue(id, out var last) && ranks <= last.Ranks ? last.Pause * 2 : options.Value.BetweenWidenings;
        widened[id] = (time.GetTimestamp(), ranks, pause);
        // Not awaited: a job that does not answer holds up nobody.
        AskToMove(id, string.Create(CultureInfo.InvariantCulture, $"slots for {grant.Ranks} ranks are free, it runs on {ranks}")).Ignore();
    }

    /// <summary>Has a running job write a checkpoint and line up again.</summary>
    private async Task AskToMove(JobId id, string reason)
    {
        try
        {
            await GrainFactory.GetJob(id).Move(reason);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogNotMoved(e, id);
        }
    }

    private bool WasWidened(JobId jobId) => widened.TryGetValue(jobId, out var last) && time.GetElapsedTime(last.At) < last.Pause;

    /// <summary>A job that holds silos.</summary>
    /// <param name="Begun">When this queue first knew of the generation.</param>
    private readonly record struct Held(QueueHolder Holder, Generation Generation, long Begun);
}
