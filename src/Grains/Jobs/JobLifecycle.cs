using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>The life of a job, decided without Orleans or a clock: (state, event) -> (state, effects).</summary>
/// <remarks>absent -> queued -> running -> completed | stopped | failed; from running back to queued when its silos are lost, leave or
/// are to be others, and from stopped or failed when it is resumed. Each stay in a final phase has one ending in the log,
/// after all else.</remarks>
internal static partial class JobLifecycle
{
    /// <summary>Generations in a row that were lost before their first step, after which the job itself is to blame.</summary>
    public const int MostFruitless = 3;

    /// <summary>Generations that a job may lose without a checkpoint in between, where it does not say another number.</summary>
    public const int MostLosses = 3;

    /// <summary>Silos that may die with a job's ranks without a checkpoint in between: it is not tried on another.</summary>
    public const int MostDied = 2;

    private const string RecordLost = "its record was lost";

    /// <param name="requeues">Lost silos send it back to the queue instead of failing it.</param>
    /// <param name="now">Its place in the line.</param>
    /// <param name="mostLosses">As the job file says; null: it does not.</param>
    public static JobTransition Submit(JobState state, bool requeues = false, DateTimeOffset now = default, int? mostLosses = null) =>
        state.Phase != JobPhase.Absent
        ? JobTransition.None(state)
        : new(state with { Phase = JobPhase.Queued, Requeues = requeues, Since = now, MostLosses = mostLosses }, [new JobEffect.Enqueue()]);

    /// <summary>A job without a record, of which the folder is left: it is stopped where it was, or has ended as its events say.</summary>
    /// <param name="recent">Its last events.</param>
    /// <param name="step">The last step that was reported; 0 before the first.</param>
    public static JobTransition Recall(
        JobState state, IReadOnlyList<JobEvent> recent, long step, bool requeues, DateTimeOffset now, int? mostLosses = null)
    {
        if (state.Phase != JobPhase.Absent) return JobTransition.None(state);
        var generation = recent.Select(e => e switch
        {
            StartedEvent started => started.Generation,
            GenerationEvent next => next.Number,
            StepEvent reported => reported.Generation,
            _ => Generation.None,
        }).Append(Generation.None).Max();
        var ending = recent is [.., CompletedEvent or StoppedEvent or FailedEvent] ? recent[^1] : null;
        var line = EventLine.Of(ending ?? new StoppedEvent(step, "", null));
        var recalled = state with
        {
            Phase = line.Ending!.Value,
            Announced = ending is FailedEvent ? null : line,
            Failure = (ending as FailedEvent)?.Error,
            // One beyond what was told: its silos may have begun a generation that had not told of itself yet.
            Generation = generation.Next,
            Requeues = requeues,
            MostLosses = mostLosses,
            Resume = true,
            Reason = RecordLost,
            Since = now,
        };
        return new(recalled, ending is null ? [new JobEffect.Note($"{RecordLost} with the store; stopped after step {step}")] : []);
    }

    /// <summary>Stopped by the loss of its record alone: its owner has not asked for that.</summary>
    public static bool IsRecalled(JobState state) => state is { Phase: JobPhase.Stopped, Reason: RecordLost };

    /// <summary>Silos are leased: open the next generation.</summary>
    public static JobTransition Grant(JobState state, int worldSize) => state.Phase switch
    {
        JobPhase.Queued => new(
            state with
            {
                Phase = JobPhase.Running,
                Generation = state.Generation.Next,
                WorldSize = worldSize,
                Ended = new Dictionary<int, RankOutcome>(),
                Requested = StepControl.GoOn,
                Announced = null,
                Requeue = null,
                Overdue = null,
                EndBy = null,
            },
            [new JobEffect.StartGeneration()]),
        JobPhase.Running => JobTransition.None(state),
        // Stopped while the grant was on its way: the silos go straight back.
        _ => new(state, [new JobEffect.Release()]),
    };

    /// <param name="step">The last step that was reported; 0 before the first.</param>
    /// <param name="endBy">
    /// When the ranks are ended if the step in flight is not over; not heeded where the silos are the owner's own.
    /// </param>
    public static JobTransition Stop(JobState state, bool checkpoint, long step = 0, DateTimeOffset? endBy = null)
    {
        if (state.Phase == JobPhase.Queued)
        {
            var effects = new List<JobEffect>();
            var stopped = StopHere(state, step, effects);
            effects.Add(new JobEffect.Release());
            return new(stopped, effects);
        }

        if (state.Phase != JobPhase.Running)
            return state.Failure is { } failure && state.Ended.Count < state.WorldSize
                ? new(state, [new JobEffect.AbortRanks(failure, AtOnce: true)])
                : JobTransition.None(state);
        var wish = checkpoint ? StepControl.CheckpointAndStop : StepControl.Stop;
        // Once an end without a checkpoint was asked for, a later wish for one does not slow it down.
        var control = wish > state.Requested ? wish : state.Requested;
        return new(
            state with { Requested = control, StopAsked = true, EndBy = state.Requeues ? state.EndBy ?? endBy : null },
            [new JobEffect.RequestStop(control)]);
    }

    /// <summary>The job was to end, and its ranks still do something else: they end now.</summary>
    /// <param name="step">The last step that was reported; 0 before the first.</param>
    public static JobTransition Cut(JobState state, long step)
    {
        if (state is not { Phase: JobPhase.Running, EndBy: not null }) return JobTransition.None(state);
        JobError late = new(
            ErrorCodes.Deadline, "The job was to end, but the step in flight, or what its ranks did before the first one, took too long.",
            null, null, null, step > 0 ? step : null);
        return new(
            state with { EndBy = null, Requeue = new Requeue(late.Message, Abrupt: true) },
            [new JobEffect.AbortRanks(late, AtOnce: true),
                new JobEffect.Note($"{late.Message} They are ended now, without a checkpoint of that step.")]);
    }

    /// <summary>A checkpoint stands: what kept the job from getting this far is behind it.</summary>
    /// <remarks>
    /// A new state each time, so that it is stored: the write is the proof. A superseded activation cannot store anything.
    /// </remarks>
    public static JobTransition Confirm(JobState state, long step) => JobTransition.None(state with
    {
        Confirmed = Math.Max(state.Confirmed, step),
        Fruitless = 0,
        Faults = [],
        Losses = 0,
        Died = [],
        Starved = [],
    });

    /// <summary>The ranks sent a completed or stopped event. It is stored with the next change, which their own ends make.</summary>
    public static JobTransition Announce(JobState state, Generation generation, EventLine line) =>
        state.Phase == JobPhase.Running && generation == state.Generation && line.Ending is JobPhase.Completed or JobPhase.Stopped
            ? JobTransition.None(state with { Announced = line }) with { IsStoredLater = true }
            : JobTransition.None(state);

    /// <param name="progressed">The generation has reported a step.</param>
    /// <param name="step">The last step that any generation reported.</param>
    /// <param name="cluster">What else is there to run it; null: that is for the queue to see.</param>
    /// <param name="died">The silo, when the rank ended because its silo died.</param>
    public static JobTransition RankEnded(
        JobState state, RankEnd end, bool progressed = true, long step = 0, JobSurroundings? cluster = null, string? died = null)
    {
        if (state.Phase == JobPhase.Queued || end.Generation != state.Generation || end.Rank.Value < 0 || end.Rank.Value >= state.WorldSize
            || state.Ended.ContainsKey(end.Rank.Value))
            return JobTransition.None(state);
        var after = state with { Ended = new Dictionary<int, RankOutcome>(state.Ended) { [end.Rank.Value] = end.Outcome } };
        var effects = new List<JobEffect>();
        if (state.Phase == JobPhase.Running && ErrorOf(after, end) is { } error)
            after = Broken(after, error, progressed, effects, cluster, died);
        if (after.Ended.Count == after.WorldSize)
        {
            if (after.Phase == JobPhase.Running) after = Finish(after, step, effects, cluster);
            if (after.Phase != JobPhase.Queued) effects.Add(new JobEffect.Release());
        }

        return new(after, effects);
    }

    /// <summary>A silo left the cluster without a word: its ranks that had not ended have ended with it.</summary>
    /// <param name="ranks">All ranks of the current generation on it.</param>
    /// <param name="step">The last step that was reported; null before the first.</param>
    public static JobTransition SiloLost(JobState state, string silo, IEnumerable<Rank> ranks, long? step, bool progressed = true)
    {
        var lost = ranks.Where(rank => !state.Ended.ContainsKey(rank.Value)).ToList();
        return EndAll(state, lost, rank => new JobError(
            ErrorCodes.SiloLost,
            $"Silo {silo} is gone, and rank {string.Join(", ", lost)} with it: its process ended, froze or was cut off. "
            + "Look at its log, then resume from the last checkpoint.",
            rank, silo, null, step), step, progressed, silo);
    }

    /// <summary>The ranks that were told to end have not said that they did: they are not waited for any longer.</summary>
    /// <remarks>Whatever they still do bears an old generation and is refused; their silo keeps its slots until they have ended.</remarks>
    public static JobTransition GiveUp(JobState state, long? step) =>
        EndAll(
            state, Enumerable.Range(0, state.WorldSize).Where(r => !state.Ended.ContainsKey(r)).Select(r => new Rank(r)),
            rank => new JobError(
                ErrorCodes.Deadline, $"Rank {rank} did not end in time after generation {state.Generation} was over.", rank, null, null,
                step), step, progressed: true);

    /// <summary>The grain that held the event log and followed the ranks is gone, or its effects could not be carried out.</summary>
    public static JobTransition Break(JobState state, JobError error, bool progressed = true)
    {
        if (state.Phase is not (JobPhase.Queued or JobPhase.Running)) return JobTransition.None(state);
        if (state is not { Phase: JobPhase.Running, Requeues: true }) return Refuse(state, error);
        var effects = new List<JobEffect>();
        return new(Broken(state, error, progressed, effects), effects);
    }

    /// <summary>A job that is not to run, whatever it does now.</summary>
    public static JobTransition Refuse(JobState state, JobError error)
    {
        if (state.Phase is not (JobPhase.Queued or JobPhase.Running)) return JobTransition.None(state);
        var effects = new List<JobEffect>();
        var after = Fail(state, error, effects);
        effects.Add(new JobEffect.Release());
        return new(after, effects);
    }

    private static JobTransition EndAll(
        JobState state, IEnumerable<Rank> ranks, Func<Rank, JobError> errorOf, long? step, bool progressed, string? died = null)
    {
        var effects = new List<JobEffect>();
        foreach (var rank in ranks.ToList())
        {
            var next = RankEnded(
                state, new RankEnd(state.Generation, rank, RankOutcome.Failed, errorOf(rank)), progressed, step ?? 0, died: died);
            state = next.State;
            effects.AddRange(next.Effects);
        }

        return new(state, effects);
    }

    private static JobError? ErrorOf(JobState after, RankEnd end) => end.Outcome == RankOutcome.Failed
        ? end.Error ?? new JobError(
            ErrorCodes.Internal, $"Rank {end.Rank} failed without saying why; see the silo's log.", end.Rank, null, null, null)
        : Disagreement(after, end);

    // All ranks take the same decisions, so they can only end alike.
    private static JobError? Disagreement(JobState after, RankEnd end)
    {
        if (after.Requeue is { Abrupt: true }) return null;
        foreach (var (rank, outcome) in after.Ended)
            if (outcome != end.Outcome)
                return new JobError(
                    ErrorCodes.Divergence,
                    $"Rank {rank} ended {Word(outcome)}, rank {end.Rank} {Word(end.Outcome)}; resume from the last checkpoint.",
                    end.Rank, null, null, null);
        return null;
    }

    private static string Word(RankOutcome outcome) => outcome == RankOutcome.Completed ? "completed" : "stopped";

    private static JobState Fail(JobState state, JobError error, List<JobEffect> effects)
    {
        effects.Add(new JobEffect.Log(EventLine.Of(new FailedEvent(error))));
        if (state.Phase == JobPhase.Running) effects.Add(new JobEffect.AbortRanks(error));
        return state with { Phase = JobPhase.Failed, Failure = error, Requeue = null };
    }

    private static JobState StopHere(JobState state, long step, List<JobEffect> effects)
    {
        var line = EventLine.Of(new StoppedEvent(step, "", null));
        effects.Add(new JobEffect.Log(line));
        return state with { Phase = JobPhase.Stopped, Announced = line, Requeue = null };
    }

    private static JobState Finish(JobState state, long step, List<JobEffect> effects, JobSurroundings? cluster)
    {
        var ended = state.Ended.Values.All(outcome => outcome == RankOutcome.Completed) ? JobPhase.Completed : JobPhase.Stopped;
        if (state.Overdue is { } overdue && ended != JobPhase.Completed)
            return Fail(state, step > 0 ? overdue with { Step = step } : overdue, effects);
        if (state.Requeue is { } requeue && ended != JobPhase.Completed)
            return state.StopAsked
                ? Requeue(state, requeue, step, effects)
                : FailedEverywhere(state, requeue, effects, cluster) ?? Requeue(state, requeue, step, effects);
        if (state.Announced is { } line && line.Ending == ended) return End(state, line, effects);
        var unsaid = new JobError(
            ErrorCodes.Internal, $"All {state.WorldSize} ranks ended {Word(state.Ended[0])}, but none sent the event that says so.", null,
            null, null, null);
        // It may have reached a grain that was lost with its silo; the last checkpoint tells it once more.
        var fruitless = state.Fruitless + 1;
        return state.Requeues && fruitless < MostFruitless
            ? Requeue(
                state with { Fruitless = fruitless, Reason = "its ending was lost" }, new Requeue("its ending was lost", Abrupt: false),
                step, effects)
            : Fail(state, unsaid, effects);
    }

    private static JobState End(JobState state, EventLine line, List<JobEffect> effects)
    {
        effects.Add(new JobEffect.Log(line));
        return state with { Phase = line.Ending!.Value, Announced = line, Requeue = null };
    }
}
