using Distributed.Client.Outcomes;
using Distributed.Client.Rendering;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using static Distributed.Client.Runs.LocalRunEffect;
using static Distributed.Client.Runs.LocalRunTransition;

namespace Distributed.Client.Runs;

/// <summary>The life of a local run, decided without processes, streams or a clock: (state, event) -> (state, effects).</summary>
/// <remarks>following -> over, or following -> explaining -> over. What comes first decides; what comes later changes nothing.</remarks>
internal static class LocalRunLifecycle
{
    /// <summary>A silo that answers no ping while its connection stands has frozen, not ended.</summary>
    public static readonly TimeSpan FrozenPatience = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(60);

    /// <summary>The job's own error says more than that a silo ended: its silos find out within seconds.</summary>
    public static readonly TimeSpan LostPatience = TimeSpan.FromSeconds(15);

    /// <summary>The silos are the job's own, and free: it begins at once, or one of them was given up before it had ranks.</summary>
    public static readonly TimeSpan BeginDeadline = TimeSpan.FromSeconds(30);

    /// <summary>The silos could not be started, or did not take the job.</summary>
    /// <returns>Null: that is the command's own failure.</returns>
    public static LocalRunEnd? NotSubmitted(Exception why, bool asked) => asked && why is OperationCanceledException or CommandFailure
        ? new(ExitCode.Interrupted, HasSummary: false, ["Interrupted before the job began; nothing was trained."])
        : null;

    /// <summary>The silos have the job.</summary>
    public static LocalRunTransition Submitted(LocalRunState state) => new(
        state with { LastPlannedStep = Target(state, state.Plan.Spec.Steps ?? 0) },
        [new Follow(), new Wait(BeginDeadline, LocalRunDeadline.Begin)]);

    /// <summary>An event came.</summary>
    /// <param name="news">Null: of a kind that this version does not know.</param>
    public static LocalRunTransition Hear(LocalRunState state, string json, JobEvent? news)
    {
        if (!state.IsFollowing) return None(state);
        var after = Learn(state with { Begun = true }, news);
        Take take = new(json, news);
        var isAsked = news is StepEvent && after.LastPlannedStep == 0 && long.IsPow2(after.Steps);
        return new(after, isAsked ? [take, new AskForSteps()] : [take]);
    }

    /// <summary>The job says how many steps it has.</summary>
    /// <param name="steps">0: it does not know yet.</param>
    public static LocalRunTransition StepsTold(LocalRunState state, long steps) =>
        None(state with { LastPlannedStep = Target(state, steps) });

    /// <summary>No more events come.</summary>
    /// <param name="lost">How a silo other than the first ended, and the end of its log; null: none has.</param>
    public static LocalRunTransition EventsEnded(LocalRunState state, string? lost) => None(
        state.IsFollowing ? state with { Stage = LocalRunStage.Over, LastWords = state.End is FailedEvent ? lost : null } : state);

    /// <summary>The first silo does not answer.</summary>
    /// <param name="status">As the call says it.</param>
    /// <param name="froze">Its connection stands.</param>
    public static LocalRunTransition ConnectionLost(LocalRunState state, string status, bool froze) => state switch
    {
        { IsFollowing: false } => None(state),
        // What the job said of its end holds.
        { End: not null } => EventsEnded(state, null),
        _ => Explain(
            state with { Suspicion = $"{First(state, "Silo", "The silo")} does not answer: its process froze or was stopped ({status})." },
            new LearnEnd(OfFirst: true, froze ? FrozenPatience : EndPatience)),
    };

    /// <summary>The process of a silo other than the first has ended, and takes the job with it.</summary>
    /// <remarks>When the job does not say so itself, it is not waited for.</remarks>
    public static LocalRunTransition SiloEnded(LocalRunState state) =>
        state.IsFollowing ? new(state, [new Wait(LostPatience, LocalRunDeadline.Loss)]) : None(state);

    /// <summary>How the silo ended for which the job was given up.</summary>
    /// <param name="end">Null: its process has not ended.</param>
    public static LocalRunTransition EndLearned(LocalRunState state, string? silo, string? end, string lastWords)
    {
        if (state.Stage != LocalRunStage.Explaining) return None(state);
        JobError error = new(ErrorCodes.SiloLost, end ?? state.Suspicion!, null, silo, null, state.Step);
        return Fail(state with { LastWords = lastWords }, error);
    }

    /// <summary>The silos that are there, asked because the job has not begun.</summary>
    /// <param name="isRunning">The job has its silos: it reads its data, which may take long.</param>
    public static LocalRunTransition MembersTold(LocalRunState state, IEnumerable<string> there, bool isRunning)
    {
        string[] gone = [.. Enumerable.Range(0, state.Plan.Silos).Select(state.Plan.NameOf).OfType<string>().Except(there)];
        if (gone.Length == 0 && isRunning) return new(state, [new Wait(BeginDeadline, LocalRunDeadline.Begin)]);
        return gone.Length > 0
            ? NotBegun(state, $"silo {string.Join(", ", gone)} is gone: its process froze or was cut off", gone[0])
            : NotBegun(state, "the silos are running; their logs may say what they wait for", null);
    }

    /// <summary>The first silo does not say which silos are there.</summary>
    /// <remarks>When its process froze, the stream of events finds that out in the same moment, and says more.</remarks>
    /// <param name="status">As the call says it.</param>
    public static LocalRunTransition MembersSilent(LocalRunState state, string status) => state is { IsFollowing: true, Begun: false }
        ? new(
            state with { Suspicion = $"{First(state, "silo", "the silo")}, which holds the job, does not say why ({status.TrimEnd('.')})" },
            [new Wait(FrozenPatience, LocalRunDeadline.Silence)])
        : None(state);

    /// <summary>The user asks for the end, or nobody reads the output any more.</summary>
    public static LocalRunTransition Asked(LocalRunState state, bool readerIsGone)
    {
        if (state is not { IsFollowing: true, Stopping: null }) return None(state);
        var why = readerIsGone ? "Nobody reads the output any more. " : "";
        return new(
            state with { Stopping = TaskStatus.WaitingForActivation },
            [
                new Say($"{why}Stopping after the step in flight, with a checkpoint. Ctrl-C again ends at once, without one."),
                new RequestStop(),
                new Wait(StopDeadline, LocalRunDeadline.Stop),
            ]);
    }

    /// <summary>What became of the request to stop.</summary>
    public static LocalRunTransition StopAnswered(LocalRunState state, TaskStatus status) =>
        None(state with { Stopping = status });

    /// <summary>The user asks for the end a second time.</summary>
    public static LocalRunTransition Insisted(LocalRunState state) => Kill(state, "Ended at once.");

    /// <summary>A deadline has passed.</summary>
    public static LocalRunTransition Passed(LocalRunState state, LocalRunDeadline deadline) => deadline switch
    {
        _ when !state.IsFollowing => None(state),
        LocalRunDeadline.Begin => state.Begun ? None(state) : new(state, [new AskWhoIsThere()]),
        LocalRunDeadline.Silence => NotBegun(state, state.Suspicion!, state.Plan.NameOf(0)),
        LocalRunDeadline.Loss when state.End is not null => EventsEnded(state, null),
        LocalRunDeadline.Loss => Explain(state, new LearnEnd(OfFirst: false, EndPatience)),
        LocalRunDeadline.Stop => Kill(
            state,
            $"The job did not stop within {StopDeadline.TotalSeconds:0} s ({state.Stopping}); its silos were ended. {SeeLogs(state)}."),
        _ => throw new NotSupportedException($"No such deadline: {deadline}."),
    };

    /// <summary>What the run comes to, once it is over and its silos have gone.</summary>
    /// <param name="asked">Its end was asked for by then.</param>
    public static LocalRunEnd Conclude(LocalRunState state, bool asked, bool readerIsGone)
    {
        var none = $"dtrain: the events of job {state.Plan.JobId} ended without its result. {SeeLogs(state)}.";
        var hasSummary = !state.Options.Json && !readerIsGone && state.End is not null;
        if (state.End is FailedEvent { Error: var why }) return new(ExitCode.Of(why.Code), HasSummary: false, FailureWords(state, why));
        if (!asked) return state.End is null ? new(ExitCode.Failed, HasSummary: false, [none]) : new(ExitCode.Done, hasSummary, []);
        return new(ExitCode.Interrupted, hasSummary, [state.Checkpoint is { } checkpoint
            ? $"Interrupted; the last checkpoint is {checkpoint}. Continue with: {Resume(state)}"
            : "Interrupted; no checkpoint was written."]);
    }

    private static List<string> FailureWords(LocalRunState state, JobError failure)
    {
        List<string> words = [$"dtrain: {JobFailureText.Describe(state.Plan.JobId, failure)}"];
        if (state.LastWords is not null) words.Add(state.LastWords);
        words.Add($"run: {state.Plan.Directory}");
        if (state.Checkpoint is not null) words.Add($"Continue from the last checkpoint with: {Resume(state)}");
        return words;
    }

    private static LocalRunState Learn(LocalRunState state, JobEvent? news) => news switch
    {
        StartedEvent or GenerationEvent => state with { End = null },
        StepEvent step => state with { End = null, Step = step.Step, Steps = state.Steps + 1 },
        CheckpointEvent checkpoint => state with { Checkpoint = checkpoint.Path },
        CompletedEvent completed => state with { End = completed, Checkpoint = completed.Checkpoint },
        StoppedEvent stopped => state with { End = stopped, Checkpoint = stopped.Checkpoint ?? state.Checkpoint },
        FailedEvent failed => state with { End = failed },
        _ => state,
    };

    /// <summary>A job without its silos waits in the queue, here for one that will not come back.</summary>
    private static LocalRunTransition NotBegun(LocalRunState state, string why, string? gone)
    {
        if (state is not { IsFollowing: true, Begun: false }) return None(state);
        var message = $"The job did not begin within {BeginDeadline.TotalSeconds:0} s; {why}. {SeeLogs(state)}, then start again.";
        return Fail(state, new JobError(ErrorCodes.Deadline, message, null, gone, "start", null));
    }

    private static LocalRunTransition Explain(LocalRunState state, LearnEnd learn) =>
        new(state with { Stage = LocalRunStage.Explaining }, [learn]);

    private static LocalRunTransition Fail(LocalRunState state, JobError error)
    {
        FailedEvent failed = new(error);
        return new(state with { Stage = LocalRunStage.Over, End = failed }, [new Fail(failed)]);
    }

    private static LocalRunTransition Kill(LocalRunState state, string words) =>
        state.IsFollowing ? new(state with { Stage = LocalRunStage.Over }, [new Say(words), new Kill()]) : None(state);

    private static string Resume(LocalRunState state) => $"dtrain train {state.Options.File} --resume --out {state.Plan.Directory}";

    /// <summary>The first silo; an only one has no name.</summary>
    private static string First(LocalRunState state, string named, string nameless) =>
        state.Plan.NameOf(0) is { } name ? $"{named} {name}" : nameless;

    private static string SeeLogs(LocalRunState state) => $"See the logs in {state.Plan.Directory}";

    /// <summary>Where the run ends, of a job that has so many steps.</summary>
    private static long Target(LocalRunState state, long steps) =>
        state.Options.StopAt is > 0 and var stopAt && (steps == 0 || stopAt < steps) ? stopAt : steps;
}
