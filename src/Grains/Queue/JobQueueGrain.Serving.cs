using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Distributed.Grains.Queue;

// One loop at a time: hear the jobs, look at the silos, take back what nobody holds, deal out what is free.
internal sealed partial class JobQueueGrain
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(0.9);
    private static readonly TimeSpan IdlePeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan WakePeriod = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long the queue deals out nothing after it woke, for jobs that it has not heard of: one of them may come first.
    /// </summary>
    private static readonly TimeSpan LongestHearing = TimeSpan.FromSeconds(2);

    /// <summary>The same for jobs of a user with a quota: one that has not been heard of may use it up.</summary>
    private static readonly TimeSpan LongestQuotaHearing = TimeSpan.FromSeconds(30);

    /// <summary>How long one look waits for the jobs it asks: one whose grain is on its way to another silo answers later.</summary>
    private static readonly TimeSpan HearingPatience = TimeSpan.FromSeconds(0.5);

    /// <summary>Waiting jobs that are asked at a time.</summary>
    private const int MostWoken = 250;

    private static readonly TimeSpan PassOverPeriod = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ComingPause = TimeSpan.FromSeconds(0.2);

    /// <summary>Between two looks at silos whose ranks are about to end.</summary>
    private static readonly TimeSpan ReclaimPause = TimeSpan.FromSeconds(0.05);

    /// <summary>
    /// How long a job that lines up again waits for the silos that it comes from: without them it would begin with fewer ranks than it had.
    /// </summary>
    private static readonly TimeSpan OwnPatience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<JobId, long> passedOver = [];

    /// <summary>By waiting job, since when it waits this time.</summary>
    private readonly Dictionary<JobId, long> lined = [];
    private readonly Dictionary<JobId, Task> hearing = [];
    private bool serving;

    /// <summary>How long the last plan took.</summary>
    private TimeSpan planning;
    private bool again;
    private bool reclaiming;
    private bool deactivated;
    private bool wakeAll;
    private int nextWoken;
    private long? served;
    private long? woken;

    private bool IsDue() => served is not { } at || time.GetElapsedTime(at) > (waiting.Count + unheard.Count > 0 ? LookPeriod : IdlePeriod);

    private void ServeSoon()
    {
        if (serving) again = true;
        else Serve().Ignore();
    }

    private async Task Serve()
    {
        serving = true;
        var pause = ReclaimPause;
        try
        {
            do
            {
                (again, reclaiming) = (false, false);
                served = time.GetTimestamp();
                await HearJobs();
                await ServeOnce();
                // Jobs that line up one after another need no plan each: of a long line that would be most of what this grain does.
                if (again && !reclaiming) await Task.Delay(planning * 2 < LookPeriod ? planning * 2 : LookPeriod, time);
                if (!reclaiming) continue;
                await Task.Delay(pause, time);
                // A rank may take long to end.
                pause = pause * 2 < LookPeriod ? pause * 2 : LookPeriod;
            }
            while ((again || reclaiming) && !deactivated);
        }
#pragma warning disable CA1031 // Nobody awaits this; the next look tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogServeFailed(e);
        }
        finally
        {
            serving = false;
        }
    }

    /// <summary>
    /// Asks jobs where they stand: those not heard of since this grain woke, now and then all that do not wait and some that do, and all
    /// that run when silos come or go.
    /// </summary>
    private async Task HearJobs()
    {
        var all = woken is not { } at || time.GetElapsedTime(at) > WakePeriod;
        if (all) woken = time.GetTimestamp();
        var asked = all
            ? list.Jobs.Where(j => !j.Ended && !waiting.ContainsKey(j.JobId)).Select(j => j.JobId).Concat(SomeWaiting())
            : wakeAll ? unheard.Concat(holders.Keys)
            : unheard;
        wakeAll = false;
        foreach (var jobId in asked.ToList())
            if (!hearing.ContainsKey(jobId)) hearing[jobId] = Hear(jobId);
        if (hearing.Count > 0)
            await Task.WhenAll(hearing.Values).WaitAsync(HearingPatience, time)
                .ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Those of a long line in turn.</summary>
    private List<JobId> SomeWaiting()
    {
        List<JobId> some = [.. waiting.Keys.Skip(nextWoken).Take(MostWoken)];
        nextWoken = some.Count < MostWoken ? 0 : nextWoken + MostWoken;
        return some;
    }

    private async Task Hear(JobId jobId)
    {
        // Not before it stands in the list.
        await Task.Yield();
        try
        {
            var standing = await GrainFactory.GetJob(jobId).Wake();
            unheard.Remove(jobId);
            Learn(standing.Faults);
            if (standing.Waiting is { } job) Line(job);
            else if (standing.Holding is { } hold) Adopt(jobId, hold);
            else await Retire(jobId);
        }
#pragma warning disable CA1031 // Whatever keeps one job from answering, such as a journal that cannot be read, must not hold up the others.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogUnheard(e, jobId);
        }
        finally
        {
            hearing.Remove(jobId);
        }
        // Who waited for it in vain looks again.
        if (!serving) ServeSoon();
    }

    /// <summary>It has ended, or was deleted while it was asked.</summary>
    private async Task Retire(JobId jobId)
    {
        Drop(jobId);
        disk.Forget(jobId);
        await list.End(jobId);
    }

    private void Adopt(JobId jobId, JobHold hold)
    {
        waiting.Remove(jobId);
        lined.Remove(jobId);
        var begun = holders.TryGetValue(jobId, out var known) && known.Generation == hold.Generation ? known.Begun : time.GetTimestamp();
        holders[jobId] = new Held(new QueueHolder(jobId, hold.User, hold.Ranks, hold.Silos) { Next = hold.Next }, hold.Generation, begun);
    }

    private async Task ServeOnce()
    {
        var (all, _) = await LookAtSilos();
        if (deactivated || LeaveDrainedSilo(all)) return;
        await Reclaim(all);
        // A job that has not been heard of may be first in line; but one that cannot answer must not hold up the others for ever.
        if (unheard.Count > 0 && time.GetElapsedTime(activated) < LongestHearing) return;
        var seen = all.Select(s => new QueueSilo(s.Silo, s.Holder, s.Draining)).ToList();
        var silent = SilentUsers();
        full = FullUsers();
        var held = waiting.Values.Where(j => full.ContainsKey(j.User)).ToList();
        var began = time.GetTimestamp();
        var plan = QueuePlanner.Plan(
            waiting.Values.Where(j => !IsPassedOver(j.JobId) && !silent.Contains(j.User) && !full.ContainsKey(j.User)),
            holders.Values.Select(h => h.Holder), seen, quotas, options.Value, time.GetUtcNow(), [.. faults.Values],
            [.. waiting.Keys.Where(id => AwaitsItsOwn(id, all))], Claimant);
        planning = time.GetElapsedTime(began);
        reasons = held.Count == 0
            ? plan.Reasons
            : plan.Reasons.Concat(held.Select(job => KeyValuePair.Create(job.JobId, full[job.User]))).ToDictionary();
        foreach (var grant in plan.Grants) await TryGrant(grant);
        if (plan.Grants.Count == 0) PreemptOne(plan, seen);
        if (plan.Grants.Count == 0 && !plan.IsContended && plan.Reasons.Count + held.Count == waiting.Count && unheard.Count == 0)
            WidenOne(seen);
    }

    /// <summary>Jobs live where the queue calls them; from a silo that an operator drained it goes to one that takes them.</summary>
    private bool LeaveDrainedSilo(IReadOnlyList<SiloDevices> all)
    {
        if (!drain.IsDraining || drain.IsLeaving || all.FirstOrDefault(s => !s.Draining) is not { } willing) return false;
        RequestContext.Set(IPlacementDirector.PlacementHintKey, willing.Silo.Address);
        this.MigrateOnIdle();
        RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        return true;
    }

    private async Task<(IReadOnlyList<SiloDevices> Devices, ImmutableArray<SiloView> Views)> LookAtSilos()
    {
        var alive = members.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active)
            .OrderBy(m => m.Name, SiloNameOrder.Instance).ToList();
        var found = await Task.WhenAll(alive.Select(m => Ask(m.SiloAddress, m.Name)));
        var views = found.Zip(alive, (devices, member) => devices is null
            ? new SiloView(member.Name, SiloCondition.Silent, 0, null)
            : new SiloView(member.Name, ConditionOf(devices), devices.Silo.Slots, devices.Holder)
            {
                Fault = FaultOf(member.Name),
                Fingerprint = devices.Silo.Fingerprint,
            });
        return ([.. found.OfType<SiloDevices>()], [.. views]);
    }

    private static SiloCondition ConditionOf(SiloDevices devices) =>
        devices.Draining ? SiloCondition.Draining : devices.Holder is null ? SiloCondition.Free : SiloCondition.Busy;

    private async Task<SiloDevices?> Ask(SiloAddress address, string name)
    {
        try
        {
            return await devices.On(address).Describe();
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogSilent(e, name);
            return null;
        }
    }

    /// <summary>Takes slots back from jobs that do not hold them, or no longer.</summary>
    private async Task Reclaim(IReadOnlyList<SiloDevices> all)
    {
        foreach (var silo in all)
        {
            if (silo.Holder is not { } holder || unheard.Contains(holder)) continue;
            if (holders.TryGetValue(holder, out var held) && held.Generation >= silo.Generation
                && held.Holder.Silos.Any(s => s.Address.Equals(silo.Silo.Address))) continue;
            await Release(silo.Silo, holder, silo.Generation);
            reclaiming = true;
        }
    }

    private async Task TryGrant(QueueGrant grant)
    {
        var job = grant.Job;
        var leases = await Task.WhenAll(grant.Silos.Select(silo => Lease(silo, job)));
        // It may have been stopped, or ask for something else, by now.
        if (!leases.All(granted => granted) || !job.AsksAs(waiting.GetValueOrDefault(job.JobId)))
        {
            await Task.WhenAll(grant.Silos.Select(silo => Release(silo, job.JobId, job.Generation)));
            return;
        }

        waiting.Remove(job.JobId);
        lined.Remove(job.JobId);
        if (claim?.JobId == job.JobId) claim = null;
        holders[job.JobId] = new Held(
            new QueueHolder(job.JobId, job.User, grant.Ranks, grant.Silos) { Next = job with { Generation = job.Generation.Next } },
            job.Generation, time.GetTimestamp());
        // Not awaited: the job may at this moment be waiting for the queue.
        Begin(grant).Ignore();
    }

    private async Task<bool> Lease(LeasedSilo silo, QueuedJob job)
    {
        try
        {
            return await devices.On(silo.Address).TryLease(job.JobId, job.Generation) is not null;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogLeaseFailed(e, silo.Name, job.JobId);
            return false;
        }
    }

    private async Task Release(LeasedSilo silo, JobId jobId, Generation generation)
    {
        try
        {
            await devices.On(silo.Address).Release(jobId, generation);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // Tried again at the next look; a silo that is gone takes its lease with it.
            LogReleaseFailed(e, silo.Name, jobId);
        }
    }

    private async Task Begin(QueueGrant grant)
    {
        var job = grant.Job;
        bool begun = false, failed = false;
        try
        {
            begun = await GrainFactory.GetJob(job.JobId).Begin(job.Generation, grant.Ranks, grant.Silos);
            // It wants something else by now, or its grain leaves a silo that drains: it keeps its silos while it gets there.
            if (!begun) await Task.Delay(ComingPause, time);
        }
#pragma warning disable CA1031 // Nobody awaits this: whatever the job threw, its silos must come back.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogBeginFailed(e, job.JobId);
            failed = true;
        }

        if (begun || !holders.TryGetValue(job.JobId, out var held) || held.Generation != job.Generation) return;
        // Whatever it wants now, it will say when asked; a job that cannot begin must not keep others from it.
        holders.Remove(job.JobId);
        unheard.Add(job.JobId);
        if (failed) passedOver[job.JobId] = time.GetTimestamp();
        ServeSoon();
    }

    /// <summary>Users of whose quota a job that has not been heard of may use some.</summary>
    private HashSet<string> SilentUsers() => unheard.Count == 0 || time.GetElapsedTime(activated) >= LongestQuotaHearing
        ? []
        : [.. list.Jobs.Where(j => !j.Ended && unheard.Contains(j.JobId)).Select(j => j.User ?? "")
            .Where(user => quotas.Of(user) is { Ranks: not null } or { Jobs: not null })];

    private bool AwaitsItsOwn(JobId jobId, IReadOnlyList<SiloDevices> all) =>
        all.Any(s => s.Holder == jobId && !s.Draining) && lined.TryGetValue(jobId, out var since)
        && time.GetElapsedTime(since) < OwnPatience;

    private bool IsPassedOver(JobId jobId)
    {
        if (!passedOver.TryGetValue(jobId, out var since)) return false;
        if (time.GetElapsedTime(since) < PassOverPeriod) return true;
        passedOver.Remove(jobId);
        return false;
    }
}
