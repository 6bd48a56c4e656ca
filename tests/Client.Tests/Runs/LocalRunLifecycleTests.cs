using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using static Distributed.Client.Runs.LocalRunEffect;
using static Distributed.Client.Runs.LocalRunLifecycle;

namespace Distributed.Client.Tests.Runs;

/// <summary>Each way in which a local run ends, and what comes of two of them at once.</summary>
public sealed partial class LocalRunLifecycleTests
{
    private const string Resume = "dtrain train job.yaml --resume --out /run";
    private static readonly StartedEvent Started = new(JobId.Parse("job-x1"), Generation.First, []);
    private static readonly CompletedEvent Completed = new(5, 0.5, "ab", 0, 1, 1, "/run/c5");
    private static readonly StoppedEvent Stopped = new(3, "ab", "/run/c3");
    private static readonly FailedEvent Failed = new(new JobError(ErrorCodes.DataInvalid, "broken", new(1), "silo-1", "forward", 3));

    private LocalRunState state = Run();

    private static LocalRunState Run(int silos = 3, int? steps = 5, long stopAt = 0, bool json = false)
    {
        TrainOptions options = new() { File = "job.yaml", Ranks = 3, Silos = silos, Out = "/run", StopAt = stopAt, Json = json };
        JobSpec spec = new()
        {
            Name = "job",
            Model = ModelSpec.Of(new SimpleCnnOptions()),
            Data = DataSpec.Of(new ShapesOptions()),
            GlobalBatch = 64,
            MicroBatch = 8,
            Steps = steps,
            Epochs = steps is null ? 2 : null,
        };
        return new(TrainPlan.Make(options, spec, 4, "/home/me", "x1"), options);
    }

    private static StepEvent Step(long step) =>
        new(step, 0, 1.5, 64, 0.001, 1, 0, false, step, 1.0, Generation.First, 0.01, new(0, 0, 0, 0, 0, 0));

    /// <summary>Lets something happen.</summary>
    /// <returns>What follows.</returns>
    private IReadOnlyList<LocalRunEffect> On(Func<LocalRunState, LocalRunTransition> change)
    {
        (state, var effects) = change(state);
        return effects;
    }

    private void Tell(params JobEvent[] events)
    {
        foreach (var news in events) Assert.Equal([new Take("{}", news)], On(s => Hear(s, "{}", news)));
    }

    private void Begin(params JobEvent[] events)
    {
        On(Submitted);
        Tell(events);
    }

    private JobError AssertFails(IReadOnlyList<LocalRunEffect> effects)
    {
        Assert.Equal(LocalRunStage.Over, state.Stage);
        return Assert.IsType<Fail>(Assert.Single(effects)).Failure.Error;
    }

    private void AssertEnd(int code, bool summary, bool asked, params string[] words) =>
        AssertEnd(code, summary, asked, readerIsGone: false, words);

    private void AssertEnd(int code, bool summary, bool asked, bool readerIsGone, params string[] words)
    {
        Assert.Equal(LocalRunStage.Over, state.Stage);
        var end = Conclude(state, asked, readerIsGone);
        Assert.Equal((code, summary), (end.ExitCode, end.HasSummary));
        Assert.Equal(words, end.Words);
    }

    /// <summary>Everything that can still come when a run is over, or nearly.</summary>
    private void AssertIgnoresAllButItsExplanation()
    {
        var before = state;
        Func<LocalRunState, LocalRunTransition>[] late =
        [
            s => Hear(s, "{}", Completed),
            s => EventsEnded(s, "lost"),
            s => ConnectionLost(s, "Unavailable, gone", froze: false),
            SiloEnded,
            s => MembersTold(s, [], isRunning: false),
            s => MembersSilent(s, "Unavailable, gone"),
            s => Asked(s, readerIsGone: false),
            Insisted,
            .. Enum.GetValues<LocalRunDeadline>().Select(d => (Func<LocalRunState, LocalRunTransition>)(s => Passed(s, d))),
        ];
        foreach (var change in late) Assert.Empty(On(change));
        Assert.Same(before, state);
    }

    [Fact]
    public void Submitted_IsFollowed_AndHasToBeginInTime()
    {
        var effects = On(Submitted);
        Assert.Equal([new Follow(), new Wait(TimeSpan.FromSeconds(30), LocalRunDeadline.Begin)], effects);
        Assert.Equal(5, state.LastPlannedStep);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Completes_ItsSummaryIsAllThereIsToSay(bool json, bool summary)
    {
        state = Run(json: json);
        Begin(Started, Step(1), Completed);
        Assert.Empty(On(s => EventsEnded(s, null)));
        AssertEnd(ExitCode.Done, summary, asked: false);
    }

    /// <summary>While its silos end, after the job has.</summary>
    [Fact]
    public void Completes_AskedForItsEndAfterwards_IsInterruptedWithItsSummary()
    {
        Begin(Started, Completed);
        On(s => EventsEnded(s, null));
        AssertIgnoresAllButItsExplanation();
        AssertEnd(
            ExitCode.Interrupted, summary: true, asked: true,
            $"Interrupted; the last checkpoint is /run/c5. Continue with: {Resume}");
    }

    [Fact]
    public void EventsEnd_WithoutAResult_IsAFailure()
    {
        Begin(Started, Step(1));
        On(s => EventsEnded(s, null));
        AssertEnd(
            ExitCode.Failed, summary: false, asked: false,
            "dtrain: the events of job job-x1 ended without its result. See the logs in /run.");
    }

    [Fact]
    public void Fails_TheJobsOwnErrorDecidesTheExitCode()
    {
        Begin(Started, new CheckpointEvent(2, "/run/c2"), Failed);
        On(s => EventsEnded(s, null));
        AssertEnd(
            ExitCode.Failed, summary: false, asked: true,
            "dtrain: job job-x1 failed [data-invalid]: broken (rank 1, silo silo-1, phase forward, step 3)",
            "run: /run",
            $"Continue from the last checkpoint with: {Resume}");
        JobError missing = new(ErrorCodes.PathMissing, "none", null, null, null, null);
        state = state with { End = new FailedEvent(missing), Checkpoint = null };
        AssertEnd(ExitCode.Usage, summary: false, asked: false, "dtrain: job job-x1 failed [path-missing]: none", "run: /run");
    }

    [Fact]
    public void UnknownEvent_IsKept_AndBeginsTheJob()
    {
        On(Submitted);
        Assert.Equal([new Take("{}", null)], On(s => Hear(s, "{}", null)));
        Assert.True(state.Begun);
    }

    [Fact]
    public void Steps_NotInTheFile_AreAskedForUntilTheJobKnows()
    {
        state = Run(steps: null);
        Begin(Started);
        List<long> asked = [];
        for (var step = 1; step <= 9; step++)
            if (On(s => Hear(s, "{}", Step(step))) is [Take, AskForSteps]) asked.Add(step);
        Assert.Equal([1, 2, 4, 8], asked);
        On(s => StepsTold(s, 0));
        for (var step = 10; step <= 15; step++) Tell(Step(step));
        On(s => StepsTold(s, 40));
        Assert.Equal(40, state.LastPlannedStep);
        Tell(Step(16));
    }

    [Theory]
    [InlineData(0, 40, 40)]
    [InlineData(30, 40, 30)]
    [InlineData(50, 40, 40)]
    [InlineData(30, 0, 30)]
    public void StopAt_EndsTheRunEarlier(long stopAt, int steps, long last)
    {
        state = Run(steps: steps > 0 ? steps : null, stopAt: stopAt);
        Begin();
        Assert.Equal(last, state.LastPlannedStep);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 5)]
    public void ConnectionLost_ProcessLives_ItFroze(bool froze, int patience)
    {
        Begin(Started, Step(1), Step(2));
        var effects = On(s => ConnectionLost(s, "Unavailable, ping", froze));
        Assert.Equal([new LearnEnd(OfFirst: true, TimeSpan.FromSeconds(patience))], effects);
        AssertIgnoresAllButItsExplanation();
        var error = AssertFails(On(s => EndLearned(s, "silo-0", null, "last lines")));
        const string message = "Silo silo-0 does not answer: its process froze or was stopped (Unavailable, ping).";
        Assert.Equal(new JobError(ErrorCodes.SiloLost, message, null, "silo-0", null, 2), error);
        AssertIgnoresAllButItsExplanation();
        AssertEnd(
            ExitCode.Failed, summary: false, asked: true,
            $"dtrain: job job-x1 failed [silo-lost]: {message} (silo silo-0, step 2)", "last lines", "run: /run");
    }

    [Fact]
    public void ConnectionLost_TheOnlySilo_HasNoName()
    {
        state = Run(silos: 1);
        On(s => ConnectionLost(s, "Unavailable, ping", froze: true));
        var error = AssertFails(On(s => EndLearned(s, null, null, "last lines")));
        Assert.Equal("The silo does not answer: its process froze or was stopped (Unavailable, ping).", error.Message);
    }

    /// <summary>As at the submission, before anything is followed.</summary>
    [Fact]
    public void ConnectionLost_ProcessEnded_ItsEndIsTheMessage()
    {
        state = Run(silos: 1);
        On(s => ConnectionLost(s, "Unavailable, gone", froze: false));
        var error = AssertFails(On(s => EndLearned(s, null, "The silo process ended with 1.", "last lines")));
        Assert.Equal(new JobError(ErrorCodes.SiloLost, "The silo process ended with 1.", null, null, null, null), error);
    }

    [Fact]
    public void SiloEnded_JobSaysNothing_IsGivenUpInItsPlace()
    {
        Begin(Started, Step(1));
        Assert.Equal([new Wait(TimeSpan.FromSeconds(15), LocalRunDeadline.Loss)], On(SiloEnded));
        Tell(Step(2));
        var effects = On(s => Passed(s, LocalRunDeadline.Loss));
        Assert.Equal([new LearnEnd(OfFirst: false, TimeSpan.FromSeconds(5))], effects);
        AssertIgnoresAllButItsExplanation();
        const string end = "The silo process silo-2 ended with signal SIGKILL.";
        var error = AssertFails(On(s => EndLearned(s, "silo-2", end, "last lines")));
        Assert.Equal(new JobError(ErrorCodes.SiloLost, end, null, "silo-2", null, 2), error);
    }

    /// <summary>The job's own error says more; how the silo ended is added to it.</summary>
    [Fact]
    public void SiloEnded_JobFailsByItselfInTime_ItsOwnErrorIsTold()
    {
        Begin(Started, Step(1));
        On(SiloEnded);
        Tell(Failed);
        On(s => EventsEnded(s, "The silo process silo-1 ended. Last lines"));
        AssertIgnoresAllButItsExplanation();
        AssertEnd(
            ExitCode.Failed, summary: false, asked: false,
            "dtrain: job job-x1 failed [data-invalid]: broken (rank 1, silo silo-1, phase forward, step 3)",
            "The silo process silo-1 ended. Last lines",
            "run: /run");
    }

    [Fact]
    public void SiloEnded_JobCompletesAllTheSame_NothingIsSaidOfTheSilo()
    {
        Begin(Started);
        On(SiloEnded);
        Tell(Completed);
        On(s => EventsEnded(s, "The silo process silo-1 ended."));
        AssertEnd(ExitCode.Done, summary: true, asked: false);
    }

    [Fact]
    public void NotBegun_ASiloIsGone_FailsNamingIt()
    {
        Begin();
        Assert.Equal([new AskWhoIsThere()], On(s => Passed(s, LocalRunDeadline.Begin)));
        var error = AssertFails(On(s => MembersTold(s, ["silo-0"], isRunning: false)));
        const string message = "The job did not begin within 30 s; silo silo-1, silo-2 is gone: its process froze or was cut off. "
            + "See the logs in /run, then start again.";
        Assert.Equal(new JobError(ErrorCodes.Deadline, message, null, "silo-1", "start", null), error);
        AssertIgnoresAllButItsExplanation();
        AssertEnd(
            ExitCode.Failed, summary: false, asked: false,
            $"dtrain: job job-x1 failed [deadline]: {message} (silo silo-1, phase start)", "run: /run");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void NotBegun_AllSilosAreThere_PointsToTheirLogs(int silos)
    {
        state = Run(silos);
        Begin();
        var error = AssertFails(On(s => MembersTold(s, silos == 1 ? ["any"] : ["silo-2", "silo-0", "silo-1"], isRunning: false)));
        Assert.Null(error.Silo);
        Assert.Contains("; the silos are running; their logs may say what they wait for. See", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Its first event comes when the data are known: a large set, or a slow disk, takes longer than a start.</summary>
    [Fact]
    public void NotBegun_ItReadsItsData_IsAskedAboutAgainLater()
    {
        Begin();
        Wait again = new(TimeSpan.FromSeconds(30), LocalRunDeadline.Begin);
        Assert.Equal([again], On(s => MembersTold(s, ["silo-0", "silo-1", "silo-2"], isRunning: true)));
        Assert.Equal([new AskWhoIsThere()], On(s => Passed(s, LocalRunDeadline.Begin)));
        Tell(Started, Completed);
    }

    [Fact]
    public void NotBegun_ItReadsItsDataAndLosesASilo_FailsNamingIt()
    {
        Begin();
        Assert.Equal("silo-1", AssertFails(On(s => MembersTold(s, ["silo-0", "silo-2"], isRunning: true))).Silo);
    }

    /// <summary>The silo dies between the last event and the end of the stream.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SiloLost_AfterTheEndingWasHeard_TheEndingHolds(bool first)
    {
        Begin(Started, Completed);
        if (!first) On(SiloEnded);
        Assert.Empty(On(s => first ? ConnectionLost(s, "Unavailable, gone", froze: false) : Passed(s, LocalRunDeadline.Loss)));
        AssertEnd(ExitCode.Done, summary: true, asked: false);
    }

    [Fact]
    public void NotBegun_FirstSiloSilent_IsNamedUnlessTheStreamSaysMore()
    {
        Begin();
        var effects = On(s => MembersSilent(s, "DeadlineExceeded, Too late."));
        Assert.Equal([new Wait(TimeSpan.FromSeconds(1), LocalRunDeadline.Silence)], effects);
        var silent = state;
        var error = AssertFails(On(s => Passed(s, LocalRunDeadline.Silence)));
        Assert.Equal("silo-0", error.Silo);
        Assert.StartsWith(
            "The job did not begin within 30 s; silo silo-0, which holds the job, does not say why (DeadlineExceeded, Too late). See",
            error.Message, StringComparison.Ordinal);

        state = silent;
        On(s => ConnectionLost(s, "Unavailable, ping", froze: true));
        Assert.Empty(On(s => Passed(s, LocalRunDeadline.Silence)));
        error = AssertFails(On(s => EndLearned(s, "silo-0", null, "")));
        Assert.StartsWith("Silo silo-0 does not answer", error.Message, StringComparison.Ordinal);
    }

    /// <summary>In the same moment as the deadline, or while the silos are asked.</summary>
    [Fact]
    public void Begins_AtTheLastMoment_GoesOn()
    {
        Begin(Started);
        Assert.Empty(On(s => Passed(s, LocalRunDeadline.Begin)));
        Assert.Empty(On(s => MembersTold(s, ["silo-0"], isRunning: false)));
        Assert.Empty(On(s => MembersSilent(s, "Unavailable, gone")));
        Assert.Empty(On(s => Passed(s, LocalRunDeadline.Silence)));
        Assert.Equal(LocalRunStage.Following, state.Stage);
        Tell(Completed);
    }

    [Fact]
    public void Begins_JustTooLate_ItsEventsAreNotTaken()
    {
        Begin();
        On(s => Passed(s, LocalRunDeadline.Begin));
        AssertFails(On(s => MembersTold(s, ["silo-0", "silo-1"], isRunning: false)));
        Assert.Empty(On(s => Hear(s, "{}", Started)));
    }

    [Fact]
    public void NotBegun_AskedForItsEndMeanwhile_FailsAllTheSame()
    {
        Begin();
        On(s => Asked(s, readerIsGone: false));
        On(s => Passed(s, LocalRunDeadline.Begin));
        AssertFails(On(s => MembersTold(s, ["silo-0", "silo-1"], isRunning: false)));
        Assert.Equal(ExitCode.Failed, Conclude(state, asked: true, readerIsGone: false).ExitCode);
    }

    [Fact]
    public void NotSubmitted_AskedForTheEnd_IsAnInterruption_OtherwiseTheFailureItself()
    {
        foreach (var why in new Exception[] { new OperationCanceledException(), new CommandFailure(ExitCode.Usage, "refused") })
        {
            var end = NotSubmitted(why, asked: true)!;
            Assert.Equal((ExitCode.Interrupted, false), (end.ExitCode, end.HasSummary));
            Assert.Equal(["Interrupted before the job began; nothing was trained."], end.Words);
            Assert.Null(NotSubmitted(why, asked: false));
        }

        Assert.Null(NotSubmitted(new IOException(), asked: true));
    }
}
