using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Grains.Jobs;

// A rank reports its own end; that of a lost silo's ranks only the membership can tell.
internal sealed partial class JobGrain
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    /// <summary>Beyond the step's deadline, after which a silo ends itself when a rank of it does not.</summary>
    private static readonly TimeSpan LongestClosing = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan SettlePeriod = TimeSpan.FromSeconds(2);

    private IGrainTimer? watch;
    private IGrainTimer? settling;

    /// <summary>The generation whose ranks this activation did not see begin.</summary>
    private Generation orphan;
    private long? closing;

    private bool HasRanks => State.Generation > Generation.None && State.Ended.Count < State.WorldSize;

    /// <summary>A silo that was told to end its ranks and that the membership has never heard of was one of an earlier cluster's.</summary>
    private bool IsLost(SiloRanks silo) => members.CurrentSnapshot.GetSiloStatus(silo.Silo.Address) is var status
        && (status == SiloStatus.Dead || (status == SiloStatus.None && closing is not null));

    private void WatchSilos()
    {
        if (HasRanks)
        {
            watch ??= this.RegisterGrainTimer(
                LookForLostSilos, new GrainTimerCreationOptions { DueTime = LookPeriod, Period = LookPeriod });
            return;
        }

        watch?.Dispose();
        watch = null;
    }

    private async Task LookForLostSilos()
    {
        foreach (var silo in store.State.Plan)
        {
            if (HasRanks && IsLost(silo))
                await Apply(JobLifecycle.SiloLost(
                    State, silo.Silo.Name, silo.Ranks.Select(r => r.Rank), Journal.LastStep > 0 ? Journal.LastStep : null,
                    Journal.Progressed));
        }

        if (!HasRanks || IsGoingOn) closing = null;
        else if (closing is not { } since) closing = time.GetTimestamp();
        else if (time.GetElapsedTime(since) > StepDeadline + LongestClosing) await Apply(JobLifecycle.GiveUp(State, Journal.LastStep));
    }

    private void SettleSoon() =>
        settling ??= this.RegisterGrainTimer(Settle, new GrainTimerCreationOptions { DueTime = TimeSpan.Zero, Period = SettlePeriod });

    /// <summary>Does what an earlier activation, or a failed call, left undone; as often as it takes.</summary>
    private async Task Settle()
    {
        try
        {
            if (outdated is { } why)
                await Apply(JobLifecycle.Refuse(State, new JobError(
                    ErrorCodes.SpecInvalid, $"The job was taken by an earlier version, and this one refuses it: {why}", null, null, "start",
                    null)));
            else if (HasRanks && State.Generation == orphan) await Recover();
            else if (State.Phase == JobPhase.Queued) await Queue.Enqueue(QueueEntry());
            else if (State is { Phase: JobPhase.Running, Requested: not StepControl.GoOn, Requeue: not { Abrupt: true } })
                await Coordinator.RequestStop(State.Generation, State.Requested);
            if (recalled) await Queue.Leave(Id, ended: State.Phase.IsFinal(), store.State.Submission?.User);
            recalled = false;
            await Keep();
            if (Journal.HasUnwritten)
            {
                if (!Journal.HasBegun) await Store(store.State);
                await Flush();
            }
        }
        catch (InconsistentStateException)
        {
            // Another activation has stored something since, or this one's own write came through after all: the next one reads it.
            await leaving.CancelAsync();
            DeactivateOnIdle();
            return;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogNotSettled(e, Id, SettlePeriod.TotalSeconds);
            return;
        }

        if (Journal.HasUnwritten || !isKept) return;
        settling?.Dispose();
        settling = null;
    }

    /// <summary>
    /// This grain was lost with its silo, moved, or could not begin its ranks: the generation goes on if nothing else of it was lost.
    /// </summary>
    private async Task Recover()
    {
        WatchSilos();
        local.Set(Id, HasRanks);
        // Whose loss it was, the membership knows.
        if (IsGoingOn) await LookForLostSilos();
        if (IsGoingOn && await Adopt()) return;
        JobError lost = new(
            ErrorCodes.SiloLost,
            $"Job {Id}: generation {State.Generation} lost its coordinator, or was not fully started; resume from the last checkpoint.",
            null, null, null, null);
        if (IsGoingOn) await Apply(JobLifecycle.Break(State, lost, Journal.Progressed));
        else await AbortRanks(State.Failure ?? lost);
    }

    private bool IsGoingOn => State.Phase == JobPhase.Running && State.Requeue is not { Abrupt: true };

    /// <summary>Follows ranks that another activation began, as long as their votes are still joined.</summary>
    /// <returns>False: they are not.</returns>
    private async Task<bool> Adopt()
    {
        if (!await Coordinator.IsOpen(State.Generation)) return false;
        // The write is the proof: a superseded activation cannot store anything.
        await Store(store.State);
        if (State.Requested != StepControl.GoOn) await Coordinator.RequestStop(State.Generation, State.Requested);
        // Those that were not told to begin are told now; the others know. What cannot be reached is tried again.
        await Task.WhenAll(store.State.Plan.Where(silo => !IsLost(silo)).SelectMany(
            silo => silo.Ranks.Where(rank => !State.Ended.ContainsKey(rank.Rank.Value))
                .Select(rank => Worker(silo, rank.Rank).Start(Assignment(silo, rank.Rank)))));
        orphan = Generation.None;
        Journal.Note($"followed from here on: generation {State.Generation} continues after step {Journal.LastStep}");
        await Flush();
        return true;
    }
}
