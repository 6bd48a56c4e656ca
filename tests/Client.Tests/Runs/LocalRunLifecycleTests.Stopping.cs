using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Core.Events;
using static Distributed.Client.Runs.LocalRunEffect;
using static Distributed.Client.Runs.LocalRunLifecycle;

namespace Distributed.Client.Tests.Runs;

// Its end is asked for.
public sealed partial class LocalRunLifecycleTests
{
    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "Nobody reads the output any more. ")]
    public void Asked_StopsInOrder(bool readerIsGone, string why)
    {
        var words = $"{why}Stopping after the step in flight, with a checkpoint. Ctrl-C again ends at once, without one.";
        Begin(Started, Step(1));
        Assert.Equal(
            [new Say(words), new RequestStop(), new Wait(TimeSpan.FromSeconds(60), LocalRunDeadline.Stop)],
            On(s => Asked(s, readerIsGone)));
        Assert.Empty(On(s => Asked(s, readerIsGone)));
        Tell(Step(2), Stopped);
        On(s => EventsEnded(s, null));
        AssertEnd(
            ExitCode.Interrupted, summary: !readerIsGone, asked: true, readerIsGone,
            $"Interrupted; the last checkpoint is /run/c3. Continue with: {Resume}");
    }

    [Fact]
    public void Asked_JobCompletesFirst_IsStillAnInterruption()
    {
        Begin(Started, Step(1));
        On(s => Asked(s, readerIsGone: false));
        Tell(Completed);
        On(s => EventsEnded(s, null));
        AssertEnd(
            ExitCode.Interrupted, summary: true, asked: true,
            $"Interrupted; the last checkpoint is /run/c5. Continue with: {Resume}");
    }

    [Fact]
    public void Asked_StoppedWithoutACheckpoint_TheOneBeforeIsNamed()
    {
        Begin(Started, new CheckpointEvent(2, "/run/c2"));
        On(s => Asked(s, readerIsGone: false));
        Tell(Stopped with { Checkpoint = null });
        On(s => EventsEnded(s, null));
        AssertEnd(
            ExitCode.Interrupted, summary: true, asked: true,
            $"Interrupted; the last checkpoint is /run/c2. Continue with: {Resume}");
    }

    [Fact]
    public void Asked_SiloIsLostMeanwhile_IsAFailure()
    {
        Begin(Started, Step(1));
        On(s => Asked(s, readerIsGone: false));
        On(s => StopAnswered(s, TaskStatus.Faulted));
        On(s => ConnectionLost(s, "Unavailable, gone", froze: false));
        AssertFails(On(s => EndLearned(s, "silo-0", "It ended.", "last lines")));
        Assert.Equal(ExitCode.Failed, Conclude(state, asked: true, readerIsGone: false).ExitCode);
    }

    [Theory]
    [InlineData(null, "Interrupted; no checkpoint was written.")]
    [InlineData("/run/c2", $"Interrupted; the last checkpoint is /run/c2. Continue with: {Resume}")]
    public void AskedTwice_EndsAtOnce(string? checkpoint, string words)
    {
        Begin(Started, Step(1));
        if (checkpoint is not null) Tell(new CheckpointEvent(2, checkpoint));
        On(s => Asked(s, readerIsGone: false));
        Assert.Equal([new Say("Ended at once."), new Kill()], On(Insisted));
        // The silos are gone, and so are their streams.
        AssertIgnoresAllButItsExplanation();
        AssertEnd(ExitCode.Interrupted, summary: false, asked: true, words);
    }

    [Theory]
    [InlineData(null, "WaitingForActivation")]
    [InlineData(TaskStatus.RanToCompletion, "RanToCompletion")]
    public void Asked_JobDoesNotStop_ItsSilosAreEnded(TaskStatus? answer, string status)
    {
        Begin(Started, Step(1));
        On(s => Asked(s, readerIsGone: false));
        if (answer is { } known) On(s => StopAnswered(s, known));
        Assert.Equal(
            [new Say($"The job did not stop within 60 s ({status}); its silos were ended. See the logs in /run."), new Kill()],
            On(s => Passed(s, LocalRunDeadline.Stop)));
        AssertIgnoresAllButItsExplanation();
        AssertEnd(ExitCode.Interrupted, summary: false, asked: true, "Interrupted; no checkpoint was written.");
    }
}
