using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Distributed.Grains.Queue;
using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Distributed.Grains.Jobs;

internal sealed partial class JobGrain
{
    /// <summary>Of the current generation.</summary>
    private ICoordinatorGrain Coordinator => GrainFactory.GetGrain<ICoordinatorGrain>(CoordinatorKey.Of(Id, State.Generation));

    private IJobQueueGrain Queue => GrainFactory.GetGrain<IJobQueueGrain>(0);

    private TimeSpan StepDeadline => Spec.Workers.StepDeadline is { } seconds ? TimeSpan.FromSeconds(seconds) : options.Value.StepDeadline;

    private TimeSpan MeetDeadline => StepDeadline * 5 > options.Value.MeetDeadline ? StepDeadline * 5 : options.Value.MeetDeadline;

    /// <summary>The only way to another state.</summary>
    private Task Apply(JobTransition transition) => Apply(transition, store.State);

    /// <param name="record">What else is stored with the new state.</param>
    private async Task Apply(JobTransition transition, JobRecord record)
    {
        var ran = HasRanks;
        if (!ReferenceEquals(transition.State, State))
            await Store(record with { State = JobLimits.Follow(State, transition.State, time.GetUtcNow()) }, transition.IsStoredLater);
        WatchSilos();
        WatchLimits();
        local.Set(Id, HasRanks);
        if (ran && !HasRanks) RetireCoordinator();
        try
        {
            await Act(transition.Effects);
        }
        catch
        {
            // Stored, but not all of it done: the caller learns that, and the rest follows.
            SettleSoon();
            throw;
        }

        await Flush();
    }

    /// <summary>Not awaited: nobody needs it any more, and its silo may be the one that was lost.</summary>
    private void RetireCoordinator() => Coordinator.Close(State.Generation, new JobError(
        ErrorCodes.SiloLost, $"Job {Id}: generation {State.Generation} is over.", null, null, null, null)).Ignore();

    /// <summary>A record that could not be written never was: the old one stays.</summary>
    /// <remarks>Nothing else replaces it; <see cref="Delete"/> removes it.</remarks>
    /// <param name="later">It is written with the next one.</param>
    private async Task Store(JobRecord record, bool later = false)
    {
        var before = store.State;
        if (later)
        {
            store.State = record;
            return;
        }

        // The first write of this activation says so: lines of an earlier one that come late then no longer count.
        if (!Journal.HasBegun) record = record with { Epoch = record.Epoch + 1 };
        store.State = record;
        try
        {
            await store.WriteStateAsync();
        }
        catch (Exception e)
        {
            store.State = before;
            trouble = e is StorageException ? e.Message : trouble;
            throw;
        }

        trouble = null;
        if (!Journal.HasBegun) await Journal.Begin(record.Epoch);
    }

    private async Task Act(IReadOnlyList<JobEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case JobEffect.Log entry: Journal.Add(entry.Line); break;
                case JobEffect.Note note: Journal.Note(note.Text); break;
                case JobEffect.Reopen: Journal.Reopen(); break;
                case JobEffect.Enqueue: await Queue.Enqueue(QueueEntry()); break;
                case JobEffect.StartGeneration: await StartGeneration(); break;
                case JobEffect.RequestStop stop: await Coordinator.RequestStop(State.Generation, stop.Control); break;
                case JobEffect.AbortRanks abort: await AbortRanks(abort.Reason, abort.AtOnce); break;
                case JobEffect.Release: await Queue.Leave(Id, State.Phase.IsFinal()); break;
                default: throw new NotSupportedException($"No way to carry out {effect.GetType().Name}.");
            }
        }
    }

    private QueuedJob QueueEntry()
    {
        var submission = store.State.Submission!;
        var (min, max, oneSilo) = RankPlan.Demand(Spec, submission.Options, State.Workers);
        var memory = JobMemory.Of(Spec, ranks: 1).Total;
        return new QueuedJob(
            Id, submission.User, submission.Options.Priority, State.Generation.Next, submission.Options.Silos, min, max, oneSilo,
            State.Since)
        {
            Faults = State.Faults,
            Inputs = Inputs,
            Fingerprint = store.State.Plan.FirstOrDefault()?.Silo.Fingerprint,
            Memory = memory,
            MemoryPerRank = JobMemory.Of(Spec, ranks: 2).Total - memory,
        };
    }

    private async Task StartGeneration()
    {
        Journal.TellOpening();
        Journal.Open(Opening());
        await Flush();
        try
        {
            await OpenCoordinator();
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            var silo = store.State.Plan[0].Silo.Name;
            await Apply(JobLifecycle.Break(State, new JobError(
                ErrorCodes.SiloLost,
                $"Generation {State.Generation}: silo {silo}, which was to coordinate it, could not be reached. "
                + "Look at its log, then resume from the last checkpoint.",
                null, silo, "start", null), Journal.Progressed));
            return;
        }

        await StartRanks();
    }

    /// <summary>How the log tells of the current generation.</summary>
    private JobEvent Opening()
    {
        var places = store.State.Plan.SelectMany(s => s.Ranks.Select(r => new RankPlace(r.Rank, s.Silo.Name, r.Device)));
        // A first generation whose grain was lost before it was told begins the log all the same.
        return State.Generation == Generation.First || Journal.IsEmpty
            ? new StartedEvent(Id, State.Generation, [.. places])
            : new GenerationEvent(State.Generation, State.Reason ?? "", [.. places]);
    }

    /// <summary>On the silo of rank 0.</summary>
    private Task OpenCoordinator()
    {
        var plan = store.State.Plan;
        RequestContext.Set(IPlacementDirector.PlacementHintKey, plan[0].Silo.Address);
        var opened = Coordinator.Open(new GenerationSetup(
            State.Generation, store.State.Submission!.SpecJson, [.. plan.Select(s => s.Silo.Name)], StepDeadline, MeetDeadline));
        RequestContext.Remove(IPlacementDirector.PlacementHintKey);
        return opened;
    }

    private async Task StartRanks()
    {
        var starts = store.State.Plan.SelectMany(silo => silo.Ranks.Select(rank => StartRank(silo, rank.Rank)));
        foreach (var refused in await Task.WhenAll(starts))
            if (refused is not null) await Apply(JobLifecycle.RankEnded(State, refused, Journal.Progressed, Journal.LastStep));
    }

    /// <returns>Null when the rank runs, or is lost with its silo, which the membership tells; otherwise its end.</returns>
    private async Task<RankEnd?> StartRank(SiloRanks silo, Rank rank)
    {
        try
        {
            await Worker(silo, rank).Start(Assignment(silo, rank));
            return null;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogStartFailed(e, rank.Value, silo.Silo.Name, Id);
            return IsLost(silo) ? null : new RankEnd(State.Generation, rank, RankOutcome.Failed, new JobError(
                ErrorCodes.Deadline,
                $"Rank {rank} could not be started: silo {silo.Silo.Name} did not take it ({e.GetType().Name}). "
                + "Look at its log, then resume from the last checkpoint.",
                rank, silo.Silo.Name, "start", null));
        }
    }

    private Task AbortRanks(JobError reason, bool atOnce = false)
    {
        var running = store.State.Plan.SelectMany(silo => silo.Ranks.Select(rank => (Silo: silo, rank.Rank)))
            .Where(r => !State.Ended.ContainsKey(r.Rank.Value));
        return Task.WhenAll(running.Select(r => AbortRank(r.Silo, r.Rank, reason, atOnce)).Prepend(CloseCoordinator(reason)));
    }

    private async Task CloseCoordinator(JobError reason)
    {
        try
        {
            await Coordinator.Close(State.Generation, reason);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // It is gone with its silo; the ranks are told one by one.
            LogNotClosed(e, State.Generation.Value, Id);
        }
    }

    private async Task AbortRank(SiloRanks silo, Rank rank, JobError reason, bool atOnce)
    {
        try
        {
            await (atOnce ? Worker(silo, rank).End(reason) : Worker(silo, rank).Abort(reason));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogAbortFailed(e, rank.Value, silo.Silo.Name, Id);
        }
    }

    private IWorkerGrain Worker(SiloRanks silo, Rank rank) =>
        GrainFactory.GetGrain<IWorkerGrain>(new WorkerKey(silo.Silo.Address, Id, State.Generation, rank).ToString());

    private RankAssignment Assignment(SiloRanks silo, Rank rank) => new()
    {
        JobId = Id,
        Generation = State.Generation,
        SpecJson = store.State.Submission!.SpecJson,
        Silo = silo.Silo.Name,
        Rank = rank,
        WorldSize = State.WorldSize,
        LocalRanks = silo.Ranks,
        Resume = State.Resume || store.State.Submission.Options.Resume,
        StopAt = store.State.Submission.Options.StopAt,
        StepDeadline = StepDeadline,
        Silos = [.. store.State.Plan.Select(s => new SiloShare(s.Silo.Name, s.Ranks.Length))],
        MeetDeadline = MeetDeadline,
    };
}
