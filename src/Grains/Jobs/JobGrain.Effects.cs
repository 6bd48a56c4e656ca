using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Coordination;
using Distributed.Grains.Devices;
using Distributed.Grains.Placement;
using Distributed.Grains.Workers;
using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

internal sealed partial class JobGrain
{
    private ICoordinatorGrain Coordinator => GrainFactory.GetGrain<ICoordinatorGrain>(Id);

    private IJobQueueGrain Queue => GrainFactory.GetGrain<IJobQueueGrain>(0);

    private TimeSpan StepDeadline => Spec.Workers.StepDeadline is { } seconds ? TimeSpan.FromSeconds(seconds) : options.Value.StepDeadline;

    private TimeSpan MeetDeadline => StepDeadline * 5 > options.Value.MeetDeadline ? StepDeadline * 5 : options.Value.MeetDeadline;

    private Task Apply(JobTransition transition) => Apply(transition, store.State);

    /// <param name="record">What else is stored with the new state.</param>
    private async Task Apply(JobTransition transition, JobRecord record)
    {
        if (!ReferenceEquals(transition.State, State)) await Store(record with { State = JobLimits.Follow(State, transition.State, time.GetUtcNow()) });
        WatchSilos();
        WatchLimits();
        local.Set(Id, HasRanks);
        await Act(transition.Effects);
        await Flush();
    }

    /// <summary>A record that could not be written never was: the old one stays.</summary>
    private async Task Store(JobRecord record)
    {
        var before = store.State;
        // The first write of this activation says so: lines of an earlier one that come late then no longer count.
        if (!begun) record = record with { Epoch = record.Epoch + 1 };
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

        if (begun) return;
        begun = true;
        await events.Begin(record.Epoch);
        await diary.Begin(record.Epoch);
    }

    private async Task Act(IReadOnlyList<JobEffect> effects)
    {
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case JobEffect.Log entry: LogLine(entry.Line); break;
                case JobEffect.Note note: Note(note.Text); break;
                case JobEffect.Reopen: ReopenLogs(); break;
                case JobEffect.Enqueue: await LineUp(); break;
                case JobEffect.StartGeneration: await StartGeneration(); break;
                case JobEffect.RequestStop stop: await Coordinator.RequestStop(State.Generation, stop.Control); break;
                case JobEffect.AbortRanks abort: await AbortRanks(abort.Reason); break;
                case JobEffect.Release: await Queue.Leave(Id, State.Phase.IsFinal()); break;
                default: throw new NotSupportedException($"No way to carry out {effect.GetType().Name}.");
            }
        }
    }

    /// <summary>A queue that could not be told is told later; whoever waits for the answer learns that now.</summary>
    private async Task LineUp()
    {
        try
        {
            await Queue.Enqueue(QueueEntry());
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            SettleSoon();
            throw;
        }
    }

    private QueuedJob QueueEntry()
    {
        var submission = store.State.Submission!;
        var (min, max, oneSilo) = RankPlan.Demand(Spec, submission.Options, State.Workers);
        return new QueuedJob(Id, submission.User, submission.Options.Priority, State.Generation + 1, submission.Options.Silos, min, max, oneSilo, State.Since) { Faults = State.Faults, Inputs = Inputs };
    }

    private async Task StartGeneration()
    {
        var plan = store.State.Plan;
        var places = plan.SelectMany(s => s.Ranks.Select(r => new RankPlace(r.Rank, s.Silo.Name, r.Device)));
        LogOpening();
        // A first generation whose grain was lost before it was told begins the log all the same.
        Open(State.Generation == 1 || events.End == 0
            ? new StartedEvent(Id, State.Generation, [.. places])
            : new GenerationEvent(State.Generation, State.Reason ?? "", [.. places]));
        await Flush();
        try
        {
            await Coordinator.Open(new GenerationSetup(
                State.Generation, store.State.Submission!.SpecJson, [.. plan.Select(s => s.Silo.Name)], StepDeadline, MeetDeadline));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            await Apply(JobLifecycle.Break(State, new JobError(
                ErrorCodes.SiloLost, $"Generation {State.Generation}: the silo that was to coordinate it could not be reached. Look at the logs of the silos, then resume from the last checkpoint.", null, null, "start", null)));
            return;
        }

        var starts = plan.SelectMany(silo => silo.Ranks.Select(rank => StartRank(silo, rank.Rank)));
        foreach (var refused in await Task.WhenAll(starts))
            if (refused is not null) await Apply(JobLifecycle.RankEnded(State, refused, Progressed, lastStep));
    }

    /// <returns>Null when the rank runs, or is lost with its silo, which the membership tells; otherwise its end.</returns>
    private async Task<RankEnd?> StartRank(SiloRanks silo, int rank)
    {
        try
        {
            await Worker(silo, rank).Start(Assignment(silo, rank));
            return null;
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogStartFailed(e, rank, silo.Silo.Name, Id);
            return IsLost(silo) ? null : new RankEnd(State.Generation, rank, RankOutcome.Failed, new JobError(
                ErrorCodes.Deadline, $"Rank {rank} could not be started: silo {silo.Silo.Name} did not take it ({e.GetType().Name}). Look at its log, then resume from the last checkpoint.",
                rank, silo.Silo.Name, "start", null));
        }
    }

    private async Task AbortRanks(JobError reason)
    {
        await Coordinator.Close(State.Generation, reason);
        var running = store.State.Plan.SelectMany(silo => silo.Ranks.Select(rank => (Silo: silo, rank.Rank))).Where(r => !State.Ended.ContainsKey(r.Rank));
        await Task.WhenAll(running.Select(r => AbortRank(r.Silo, r.Rank, reason)));
    }

    private async Task AbortRank(SiloRanks silo, int rank, JobError reason)
    {
        try
        {
            await Worker(silo, rank).Abort(reason);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogAbortFailed(e, rank, silo.Silo.Name, Id);
        }
    }

    private IWorkerGrain Worker(SiloRanks silo, int rank) =>
        GrainFactory.GetGrain<IWorkerGrain>(new WorkerKey(silo.Silo.Address, Id, State.Generation, rank).ToString());

    private RankAssignment Assignment(SiloRanks silo, int rank) => new()
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
