using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

// How a job comes back into the queue, to go on from its last checkpoint.
internal static partial class JobLifecycle
{
    /// <summary>The job is to run on other silos: its ranks write a checkpoint and end, then it returns to the queue.</summary>
    /// <param name="reason">For the log, such as <c>silo b is leaving</c>.</param>
    public static JobTransition Move(JobState state, string reason)
    {
        if (state is not { Phase: JobPhase.Running, Requeues: true, Requeue: null, StopAsked: false, Overdue: null })
            return JobTransition.None(state);
        const StepControl control = StepControl.CheckpointAndStop;
        return new(
            state with { Requeue = new Requeue(reason, Abrupt: false), Reason = reason, Requested = control },
            [new JobEffect.RequestStop(control), new JobEffect.Note($"{reason}: writing a checkpoint, then back into the queue")]);
    }

    /// <summary>Another number of ranks, from the next generation on.</summary>
    public static JobTransition Scale(JobState state, int workers)
    {
        var asked = state with { Workers = workers };
        return state.Phase switch
        {
            JobPhase.Queued => new(asked, [new JobEffect.Enqueue()]),
            JobPhase.Running when state.WorldSize != workers => Move(asked, $"scaled from {state.WorldSize} to {workers} ranks"),
            _ => JobTransition.None(asked),
        };
    }

    /// <summary>A stopped or failed job lines up again.</summary>
    public static JobTransition Resume(JobState state, DateTimeOffset now) => state.Phase is not (JobPhase.Stopped or JobPhase.Failed)
        ? JobTransition.None(state)
        : new(
            state with
            {
                Phase = JobPhase.Queued,
                Since = now,
                Resume = true,
                Failure = null,
                Announced = null,
                StopAsked = false,
                Overdue = null,
                Fruitless = 0,
                Faults = [],
                Losses = 0,
                Died = [],
                Starved = [],
                Reason = "resumed",
            },
            [new JobEffect.Reopen(), new JobEffect.Enqueue()]);

    /// <summary>A rank failed: what was no fault of the job sends it back to the queue, once all its ranks have ended.</summary>
    private static JobState Broken(
        JobState state, JobError error, bool progressed, List<JobEffect> effects, JobSurroundings? cluster = null, string? died = null)
    {
        if (state.Requeues && cluster is not null && error.Silo is not null && SiloFault.IsOne(error.Code))
            return Faulty(state, error, effects, cluster);
        var loss = ErrorCodes.IsLoss(error.Code);
        // What else breaks while the ranks end is a consequence; if not, it will come again.
        if (state.Requeue is { Abrupt: true } over)
            return died is null || over.Died is not null ? state : Mourn(state, over, error, died, effects);
        if (!state.Requeues || !loss) return Fail(state, error, effects);
        var fruitless = progressed ? 0 : state.Fruitless + 1;
        if (fruitless >= MostFruitless)
            return Fail(
                state, error with { Message = $"Lost {fruitless} times in a row before its first step; the last time: {error.Message}" },
                effects);
        var counted = error.Code == ErrorCodes.SiloLost;
        if (counted) state = Count(state, died);
        if (Held(state) is { } why) return Hold(state, error, why, effects);
        // A wait that was too long says itself who was waited for; the silo that noticed is not to blame.
        var reason = error is { Code: ErrorCodes.SiloLost, Silo: { } silo } ? $"silo {silo} lost" : error.Message;
        effects.Add(new JobEffect.AbortRanks(error));
        effects.Add(new JobEffect.Note($"generation {state.Generation} is over: {error.Message}"));
        return state with
        {
            Requeue = new Requeue(reason, Abrupt: true) { Counted = counted, Died = died },
            Reason = reason,
            Fruitless = fruitless,
        };
    }

    /// <summary>The other ranks missed a silo before the table of members did: its death is known only now.</summary>
    /// <remarks>One silo per generation: several that die together, as with their machine, are one event.</remarks>
    private static JobState Mourn(JobState state, Requeue over, JobError error, string died, List<JobEffect> effects)
    {
        state = Count(state with { Requeue = over with { Counted = true, Died = died } }, died, losses: over.Counted ? 0 : 1);
        return Held(state) is { } why ? Hold(state, error, why, effects) : state;
    }

    /// <summary>
    /// The kernel killed a silo as memory ran out while it ran the job's ranks. That is known by the count of such ends, so it may come
    /// long after the loss.
    /// </summary>
    public static JobTransition Starve(JobState state, string silo)
    {
        var known = StarvedOf(state);
        if (state.Phase is not (JobPhase.Queued or JobPhase.Running or JobPhase.Failed) || known.Contains(silo))
            return JobTransition.None(state);
        var words = $"silo {silo} ended while it ran ranks of this job, and its machine ran out of memory meanwhile: "
            + "most likely the kernel ended it for that";
        // The events of a job that has failed are complete.
        return new(
            Rename(state with { Starved = known.Add(silo) }),
            state.Phase == JobPhase.Failed
                ? [new JobEffect.Note(words)]
                : [new JobEffect.Note(words), new JobEffect.Log(EventLine.Of(new WarningEvent(
                    $"{char.ToUpperInvariant(words[0])}{words[1..]}. A smaller microBatch, or fewer ranks on a silo, take less.")))]);
    }

    /// <summary>
    /// A job that was held back before all of the ends were explained: its failure is named after the fact, for <c>why</c> and its remedy.
    /// </summary>
    private static JobState Rename(JobState state) =>
        state is { Phase: JobPhase.Failed, Failure: { Code: ErrorCodes.SiloLost } failure } && HaveAllStarved(state)
            ? state with { Failure = failure with { Code = ErrorCodes.Memory } }
            : state;

    private static bool HaveAllStarved(JobState state) =>
        state.Died is { IsDefaultOrEmpty: false } died && died.All(StarvedOf(state).Contains);

    /// <summary>Of a job that an earlier version stored it is not there.</summary>
    public static ImmutableArray<string> StarvedOf(JobState state) => state.Starved.IsDefault ? [] : state.Starved;

    /// <param name="died">The silo that ended without a word; null: it was another kind of loss.</param>
    private static JobState Count(JobState state, string? died, int losses = 1)
    {
        ImmutableArray<string> known = state.Died.IsDefault ? [] : state.Died;
        return state with { Losses = state.Losses + losses, Died = died is null || known.Contains(died) ? known : known.Add(died) };
    }

    /// <summary>A job that takes its silos with it is not let loose on the next one.</summary>
    /// <returns>Null: it comes back.</returns>
    private static string? Held(JobState state)
    {
        var starved = StarvedOf(state);
        var cause = starved.Length > 0
            ? $"Memory ran out where {string.Join(" and ", starved)} ran"
            : "The job may be what ends them, for example by using too much memory: look at their logs";
        var remedy = $"{cause}. With checkpoint.everySteps each checkpoint counts as progress; resume tries again";
        // Its owner wants its end, not its failure.
        if (state.StopAsked) return null;
        if (!state.Died.IsDefault && state.Died.Length >= MostDied)
            return $"Silos {string.Join(" and ", state.Died)} died with its ranks, without a checkpoint in between, "
                + $"so it is held back from others. {remedy}";
        return state.Losses >= (state.MostLosses ?? MostLosses)
            ? FormattableString.Invariant($"Lost {(state.Losses == 1 ? "once" : $"{state.Losses} times")} without a checkpoint in ")
                + FormattableString.Invariant($"between. {remedy}; limits.losses allows more")
            : null;
    }

    private static JobState Hold(JobState state, JobError error, string why, List<JobEffect> effects)
    {
        var code = HaveAllStarved(state) ? ErrorCodes.Memory : error.Code;
        return Fail(state, error with { Code = code, Message = $"{why}; the last time: {error.Message}" }, effects);
    }

    private static JobState Requeue(JobState state, Requeue requeue, long step, List<JobEffect> effects)
    {
        if (state.StopAsked)
            return state.Announced is { Ending: JobPhase.Stopped } line ? End(state, line, effects) : StopHere(state, step, effects);
        effects.Add(new JobEffect.Release());
        effects.Add(new JobEffect.Note($"back in the queue: {requeue.Reason}"));
        effects.Add(new JobEffect.Enqueue());
        return state with { Phase = JobPhase.Queued, Resume = true, Requeue = null, Announced = null };
    }
}
