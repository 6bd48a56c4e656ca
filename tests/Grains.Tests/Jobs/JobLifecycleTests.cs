using CsCheck;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;

namespace Distributed.Grains.Tests.Jobs;

public sealed class JobLifecycleTests
{
    private static readonly EventLine Completed = EventLine.Of(new CompletedEvent(5, 0.5, "ab", 0, 1, 1, "c"));

    private static JobState Running(int worldSize) =>
        JobLifecycle.Grant(JobLifecycle.Submit(new JobState()).State, worldSize).State;

    private static RankEnd End(int rank, RankOutcome outcome = RankOutcome.Completed, string message = "broken") => new(
        new(1), new(rank), outcome,
        outcome == RankOutcome.Failed ? new JobError(ErrorCodes.DataInvalid, message, new(rank), "a", "forward", 3) : null);

    [Fact]
    public void Submit_Twice_LinesUpOnce()
    {
        var first = JobLifecycle.Submit(new JobState());
        Assert.Equal(JobPhase.Queued, first.State.Phase);
        Assert.IsType<JobEffect.Enqueue>(Assert.Single(first.Effects));
        Assert.Empty(JobLifecycle.Submit(first.State).Effects);
    }

    [Fact]
    public void RankEnded_AllCompleted_LogsTheEndingOnlyAfterTheLast()
    {
        var announced = JobLifecycle.Announce(Running(2), new(1), Completed).State;
        var one = JobLifecycle.RankEnded(announced, End(1));
        Assert.Equal(JobPhase.Running, one.State.Phase);
        Assert.Empty(one.Effects);
        var all = JobLifecycle.RankEnded(one.State, End(0));
        Assert.Equal(JobPhase.Completed, all.State.Phase);
        Assert.Equal([new JobEffect.Log(Completed), new JobEffect.Release()], all.Effects);
    }

    [Fact]
    public void Announce_CanWaitForTheNextChange_WhichKeepsIt()
    {
        var announced = JobLifecycle.Announce(Running(2), new(1), Completed);
        Assert.True(announced.IsStoredLater);
        Assert.Empty(announced.Effects);
        var next = JobLifecycle.RankEnded(announced.State, End(1));
        Assert.False(next.IsStoredLater);
        Assert.Equal(Completed, next.State.Announced);
    }

    [Fact]
    public void Announce_OfAnotherGenerationOrOfAFailure_ChangesNothing()
    {
        var state = Running(1);
        Assert.Same(state, JobLifecycle.Announce(state, new(2), Completed).State);
        Assert.Same(state, JobLifecycle.Announce(state, new(1), EventLine.Of(new FailedEvent(End(0, RankOutcome.Failed).Error!))).State);
    }

    /// <summary>The write is the proof that the generation is the current one: there is one even where nothing is new.</summary>
    [Fact]
    public void Confirm_SameStepAgain_IsStoredAtOnce()
    {
        var once = JobLifecycle.Confirm(Running(1), 7);
        var twice = JobLifecycle.Confirm(once.State, 7);
        Assert.NotSame(once.State, twice.State);
        Assert.False(once.IsStoredLater || twice.IsStoredLater);
    }

    [Fact]
    public void Recall_NoEndingInItsEvents_IsStoppedWhereItWas()
    {
        var now = DateTimeOffset.UnixEpoch;
        JobEvent[] recent =
            [new StartedEvent(JobId.Parse("j"), new(1), []), new GenerationEvent(new(2), "silo b lost", []), new WarningEvent("late")];
        var recalled = JobLifecycle.Recall(new JobState(), recent, 7, requeues: true, now, mostLosses: 5);
        var state = recalled.State;
        Assert.Equal((JobPhase.Stopped, new Generation(3), true), (state.Phase, state.Generation, state.Resume));
        Assert.Equal((true, 5, now), (state.Requeues, state.MostLosses, state.Since));
        Assert.True(JobLifecycle.IsRecalled(state));
        Assert.Equal(EventLine.Of(new StoppedEvent(7, "", null)), state.Announced);
        Assert.Equal([new JobEffect.Note("its record was lost with the store; stopped after step 7")], recalled.Effects);
        Assert.Equal(JobPhase.Queued, JobLifecycle.Resume(state, now).State.Phase);
    }

    [Fact]
    public void Recall_EndingInItsEvents_HasEndedSo()
    {
        var error = new JobError(ErrorCodes.DataInvalid, "broken", new(0), "a", "forward", 3);
        JobEvent[] events = [new StartedEvent(JobId.Parse("j"), new(1), []), new FailedEvent(error)];
        var failed = JobLifecycle.Recall(new JobState(), events, 3, requeues: true, default);
        Assert.Equal((JobPhase.Failed, error, null), (failed.State.Phase, failed.State.Failure, failed.State.Announced));
        var completed = JobLifecycle.Recall(new JobState(), [new CompletedEvent(5, 0.5, "ab", 0, 1, 1, "c")], 5, requeues: true, default);
        Assert.Equal((JobPhase.Completed, Completed), (completed.State.Phase, completed.State.Announced));
        Assert.False(JobLifecycle.IsRecalled(completed.State));
        Assert.Empty(failed.Effects.Concat(completed.Effects));
        Assert.Same(completed.State, JobLifecycle.Recall(completed.State, [], 0, requeues: true, default).State);
    }

    [Fact]
    public void RankEnded_Failed_FirstFailureWinsAndAbortsTheRest()
    {
        var first = JobLifecycle.RankEnded(Running(2), End(1, RankOutcome.Failed, "first"));
        Assert.Equal(JobPhase.Failed, first.State.Phase);
        Assert.Equal("first", first.State.Failure!.Message);
        Assert.Contains(first.Effects, e => e is JobEffect.AbortRanks);
        var second = JobLifecycle.RankEnded(first.State, End(0, RankOutcome.Failed, "second"));
        Assert.Equal("first", second.State.Failure!.Message);
        Assert.Equal([new JobEffect.Release()], second.Effects);
    }

    [Fact]
    public void RankEnded_MixedEndings_FailsNamingBothRanks()
    {
        var one = JobLifecycle.RankEnded(JobLifecycle.Announce(Running(2), new(1), Completed).State, End(0)).State;
        var two = JobLifecycle.RankEnded(one, End(1, RankOutcome.Stopped)).State;
        Assert.Equal(JobPhase.Failed, two.Phase);
        Assert.Equal("Rank 0 ended completed, rank 1 stopped; resume from the last checkpoint.", two.Failure!.Message);
    }

    [Fact]
    public void RankEnded_NoEndingAnnounced_Fails()
    {
        var ended = JobLifecycle.RankEnded(Running(1), End(0));
        Assert.Equal(JobPhase.Failed, ended.State.Phase);
        Assert.Equal(ErrorCodes.Internal, ended.State.Failure!.Code);
    }

    /// <summary>The grain that took the announcement was lost before it was stored.</summary>
    [Fact]
    public void RankEnded_AnnouncementLost_AJobThatRequeuesGoesOnFromItsLastCheckpoint()
    {
        var state = JobLifecycle.Submit(new JobState(), requeues: true).State;
        for (var generation = 1; generation < JobLifecycle.MostFruitless; generation++)
        {
            state = JobLifecycle.RankEnded(JobLifecycle.Grant(state, 1).State, End(0) with { Generation = new(generation) }).State;
            Assert.Equal((JobPhase.Queued, true), (state.Phase, state.Resume));
        }

        var last =
            JobLifecycle.RankEnded(JobLifecycle.Grant(state, 1).State, End(0) with { Generation = new(JobLifecycle.MostFruitless) }).State;
        Assert.Equal(JobPhase.Failed, last.Phase);
    }

    [Fact]
    public void Stop_WhileMoving_TheEndingNamesTheCheckpointThatTheRanksWrote()
    {
        var line = EventLine.Of(new StoppedEvent(7, "ab", "here"));
        var moving = JobLifecycle.Move(
            JobLifecycle.Grant(JobLifecycle.Submit(new JobState(), requeues: true).State, 1).State, "silo a is leaving").State;
        var stopping = JobLifecycle.Announce(JobLifecycle.Stop(moving, checkpoint: true).State, new(1), line).State;
        var ended = JobLifecycle.RankEnded(stopping, End(0, RankOutcome.Stopped));
        Assert.Equal(JobPhase.Stopped, ended.State.Phase);
        Assert.Equal([new JobEffect.Log(line), new JobEffect.Release()], ended.Effects);
    }

    [Fact]
    public void RankEnded_OfAnotherGeneration_IsIgnored()
    {
        var state = Running(1);
        Assert.Same(state, JobLifecycle.RankEnded(state, End(0) with { Generation = new(2) }).State);
    }

    [Fact]
    public void SiloLost_NamesItAndItsRanks_AndEndsThemAll()
    {
        var lost = JobLifecycle.SiloLost(Running(4), "silo-1", [new(2), new(3)], 118);
        var failure = lost.State.Failure!;
        Assert.Equal((ErrorCodes.SiloLost, 2, "silo-1", 118L), (failure.Code, failure.Rank?.Value, failure.Silo, failure.Step));
        Assert.StartsWith("Silo silo-1 is gone, and rank 2, 3 with it", failure.Message, StringComparison.Ordinal);
        Assert.Equal([2, 3], lost.State.Ended.Keys.Order());
        Assert.Equal([typeof(JobEffect.Log), typeof(JobEffect.AbortRanks)], lost.Effects.Select(e => e.GetType()));
        var one = JobLifecycle.RankEnded(lost.State, End(0, RankOutcome.Failed)).State;
        Assert.Equal([new JobEffect.Release()], JobLifecycle.RankEnded(one, End(1, RankOutcome.Failed)).Effects);
    }

    [Fact]
    public void SiloLost_AfterItsRanksReported_ChangesNothing()
    {
        var failed = JobLifecycle.RankEnded(Running(2), End(1, RankOutcome.Failed, "first")).State;
        var lost = JobLifecycle.SiloLost(failed, "silo-1", [new(1)], null);
        Assert.Same(failed, lost.State);
        Assert.Empty(lost.Effects);
    }

    [Fact]
    public void SiloLost_OfAFailedJob_GivesTheSilosBackAndKeepsTheFirstFailure()
    {
        var failed = JobLifecycle.RankEnded(Running(2), End(0, RankOutcome.Failed, "first")).State;
        var lost = JobLifecycle.SiloLost(failed, "silo-1", [new(1)], null);
        Assert.Equal("first", lost.State.Failure!.Message);
        Assert.Equal([new JobEffect.Release()], lost.Effects);
    }

    /// <summary>A late silo, or storage that was away, is no lost silo: the log must not send its reader after the wrong one.</summary>
    [Theory]
    [InlineData(ErrorCodes.SiloLost, "b", "silo b lost")]
    [InlineData(ErrorCodes.SiloLost, null, "the coordinator cannot be reached")]
    [InlineData(ErrorCodes.Deadline, "b", "the coordinator cannot be reached")]
    public void RankEnded_LossOfAJobThatComesBack_NamesAsLostOnlyWhatIs(string code, string? silo, string reason)
    {
        var running = JobLifecycle.Grant(JobLifecycle.Submit(new JobState(), requeues: true).State, 2).State;
        var error = new JobError(code, "the coordinator cannot be reached", new(0), silo, "decide", 3);
        Assert.Equal(reason, JobLifecycle.RankEnded(running, new RankEnd(new(1), new(0), RankOutcome.Failed, error)).State.Reason);
    }

    [Theory]
    // Lost with each silo's number; 0: a checkpoint was written.
    [InlineData(null, new[] { 1, 1 }, null)]
    [InlineData(null, new[] { 1, 1, 1 }, "Lost 3 times without a checkpoint in between.")]
    [InlineData(null, new[] { 1, 2 }, "Silos silo-1 and silo-2 died with its ranks, without a checkpoint in between")]
    [InlineData(null, new[] { 1, 0, 2, 0, 3, 0, 1, 1 }, null)]
    [InlineData(null, new[] { 1, 0, 1, 2 }, "Silos silo-1 and silo-2 died")]
    [InlineData(5, new[] { 1, 1, 1, 1 }, null)]
    [InlineData(5, new[] { 1, 1, 1, 1, 1 }, "Lost 5 times without a checkpoint in between.")]
    [InlineData(5, new[] { 1, 2 }, "Silos silo-1 and silo-2 died")]
    [InlineData(1, new[] { 1 }, "Lost once without a checkpoint in between.")]
    public void SiloLost_AgainAndAgain_AJobThatGetsNowhereIsHeld(int? most, int[] silos, string? held)
    {
        var state = JobLifecycle.Submit(new JobState(), requeues: true).State with { MostLosses = most };
        foreach (var silo in silos)
        {
            Assert.Equal(JobPhase.Queued, state.Phase);
            var running = JobLifecycle.Grant(state, 2).State;
            state = silo == 0
                ? JobLifecycle.Confirm(state, 7).State
                : JobLifecycle.SiloLost(running, $"silo-{silo}", [new(0), new(1)], 9).State;
        }

        Assert.Equal(held is null ? JobPhase.Queued : JobPhase.Failed, state.Phase);
        if (held is null) return;
        Assert.StartsWith(held, state.Failure!.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorCodes.SiloLost, state.Failure.Code);
        // Its owner's wish counts anew.
        var again = JobLifecycle.Resume(state, default).State;
        Assert.Equal((JobPhase.Queued, 0, 0), (again.Phase, again.Losses, again.Died.Length));
    }

    [Fact]
    public void Starve_SiloOutOfMemory_IsSaidAndNamedWhenTheJobIsHeld()
    {
        var state = JobLifecycle.SiloLost(
            JobLifecycle.Grant(JobLifecycle.Submit(new JobState(), requeues: true).State, 2).State, "silo-1", [new(0), new(1)], 9).State;
        var told = JobLifecycle.Starve(state, "silo-1");
        Assert.Equal("silo-1", Assert.Single(told.State.Starved));
        Assert.StartsWith(
            "Silo silo-1 ended while it ran ranks of this job, and its machine ran out of memory meanwhile",
            Assert.IsType<WarningEvent>(JobEventJson.Read(Assert.Single(told.Effects.OfType<JobEffect.Log>()).Line.Json)).Message,
            StringComparison.Ordinal);
        Assert.Empty(JobLifecycle.Starve(told.State, "silo-1").Effects);
        var held = JobLifecycle.SiloLost(JobLifecycle.Grant(told.State, 2).State, "silo-2", [new(0), new(1)], 9).State;
        Assert.Contains("Memory ran out where silo-1 ran", held.Failure!.Message, StringComparison.Ordinal);

        Assert.Equal(ErrorCodes.SiloLost, held.Failure.Code);
        var known = JobLifecycle.Starve(JobLifecycle.Grant(told.State, 2).State, "silo-2").State;
        Assert.Equal(ErrorCodes.Memory, JobLifecycle.SiloLost(known, "silo-2", [new(0), new(1)], 9).State.Failure!.Code);

        // The second one's end is known only after the job has failed: its events are complete.
        var late = JobLifecycle.Starve(held, "silo-2");
        Assert.Equal(["silo-1", "silo-2"], [.. late.State.Starved]);
        Assert.Equal(ErrorCodes.Memory, late.State.Failure!.Code);
        Assert.Empty(late.Effects.OfType<JobEffect.Log>());
        Assert.Empty(JobLifecycle.Resume(held, default).State.Starved);
        Assert.Empty(JobLifecycle.Confirm(told.State, 7).State.Starved);
        Assert.Empty(JobLifecycle.Starve(new JobState { Phase = JobPhase.Completed }, "silo-1").State.Starved);
    }

    /// <summary>
    /// Waits that were too long, and silos that left without dying, are nobody's fault: waits are not counted, silos that live are not
    /// held against the job.
    /// </summary>
    [Fact]
    public void RankEnded_OtherLosses_AJobIsNotHeldForSilosThatLive()
    {
        var state = JobLifecycle.Submit(new JobState(), requeues: true).State;
        for (var i = 0; i < 10; i++) state = Lose(state, ErrorCodes.Deadline, "a").State;
        Assert.Equal((JobPhase.Queued, 0), (state.Phase, state.Losses));
        state = Lose(Lose(state, ErrorCodes.SiloLost, "a").State, ErrorCodes.SiloLost, "b").State;
        Assert.Equal((JobPhase.Queued, 2, 0), (state.Phase, state.Losses, state.Died.Length));
        Assert.Equal(JobPhase.Failed, Lose(state, ErrorCodes.SiloLost, "c").State.Phase);

        static JobTransition Lose(JobState queued, string code, string silo)
        {
            var running = JobLifecycle.Grant(queued, 1).State;
            return JobLifecycle.RankEnded(running, new RankEnd(
                running.Generation, new(0), RankOutcome.Failed, new JobError(code, "gone", new(0), silo, "exchange", 3)));
        }
    }

    /// <summary>
    /// A rank whose peer is gone says so before the table of members does: the death counts all the same, once a generation.
    /// </summary>
    [Theory]
    [InlineData(ErrorCodes.SiloLost)]
    [InlineData(ErrorCodes.Deadline)]
    public void SiloLost_AfterAnotherRankSaidSo_Counts(string noticed)
    {
        var first = Lose(JobLifecycle.Submit(new JobState(), requeues: true).State, "a", "b");
        Assert.Equal((JobPhase.Queued, 1), (first.Phase, first.Losses));
        Assert.Equal("a", Assert.Single(first.Died));

        var second = Lose(first, "c");
        Assert.Equal(JobPhase.Failed, second.Phase);
        Assert.StartsWith("Silos a and c died with its ranks", second.Failure!.Message, StringComparison.Ordinal);

        // Rank 0 notices, then the silos of ranks 1 and 2 are gone together.
        JobState Lose(JobState queued, params string[] silos)
        {
            var running = JobLifecycle.Grant(queued, 3).State;
            var error = new JobError(noticed, "the peer is gone", new(0), "here", "exchange", 3);
            var state = JobLifecycle.RankEnded(running, new RankEnd(running.Generation, new(0), RankOutcome.Failed, error)).State;
            for (var i = 0; i < 2; i++) state = JobLifecycle.SiloLost(state, silos[Math.Min(i, silos.Length - 1)], [new(1 + i)], 3).State;
            return state;
        }
    }

    [Fact]
    public void SiloLost_TheLastThatCounts_AfterAStop_IsStopped()
    {
        var state = JobLifecycle.SiloLost(
            JobLifecycle.Grant(JobLifecycle.Submit(new JobState(), requeues: true).State, 1).State, "a", [new(0)], 9).State;
        var stopping = JobLifecycle.Stop(JobLifecycle.Grant(state, 1).State, checkpoint: true).State;
        Assert.Equal(JobPhase.Stopped, JobLifecycle.SiloLost(stopping, "b", [new(0)], 9).State.Phase);
    }

    [Fact]
    public void Stop_Queued_EndsAtOnceAndALateGrantGoesBack()
    {
        var stopped = JobLifecycle.Stop(JobLifecycle.Submit(new JobState()).State, checkpoint: true);
        Assert.Equal(JobPhase.Stopped, stopped.State.Phase);
        Assert.Equal([new JobEffect.Log(stopped.State.Announced!), new JobEffect.Release()], stopped.Effects);
        Assert.Equal([new JobEffect.Release()], JobLifecycle.Grant(stopped.State, 2).Effects);
    }

    [Fact]
    public void Stop_WithoutCheckpointThenWith_StaysWithout()
    {
        var first = JobLifecycle.Stop(Running(1), checkpoint: false).State;
        Assert.Equal([new JobEffect.RequestStop(StepControl.Stop)], JobLifecycle.Stop(first, checkpoint: true).Effects);
    }

    [Fact]
    public void AnyStory_OneEndingAfterAllElse_SilosGivenBackAtMostOnceItHasEnded() =>
        Gen.Select(Gen.Int[1, 4], Story.Array[0, 30]).Sample((worldSize, story) =>
        {
            var state = JobLifecycle.Submit(new JobState()).State;
            var endings = 0;
            var final = JobPhase.Absent;
            foreach (var (what, rank) in story)
            {
                var step = Apply(state, what, rank, worldSize);
                state = step.State;
                endings += step.Effects.Count(e => e is JobEffect.Log { Line.Ending: not null });
                Assert.True(final == JobPhase.Absent || state.Phase == final, "A final phase never changes.");
                if (state.Phase.IsFinal()) final = state.Phase;
                Assert.Equal(state.Phase.IsFinal() ? 1 : 0, endings);
                Assert.Equal(state.Phase == JobPhase.Failed, state.Failure is not null);
            }
        });

    private static readonly Gen<(int What, int Rank)> Story = Gen.Select(Gen.Int[0, 9], Gen.Int[0, 4]);

    private static JobTransition Apply(JobState state, int what, int rank, int worldSize) => what switch
    {
        0 => JobLifecycle.Grant(state, worldSize),
        1 => JobLifecycle.Stop(state, checkpoint: rank % 2 == 0),
        2 => JobLifecycle.Announce(state, state.Generation, Completed),
        3 => JobLifecycle.RankEnded(state, End(rank, RankOutcome.Failed)),
        4 => JobLifecycle.RankEnded(state, End(rank, RankOutcome.Stopped)),
        5 => rank == 0 ? JobLifecycle.Break(state, End(0, RankOutcome.Failed).Error!) : JobTransition.None(state),
        6 => JobLifecycle.SiloLost(state, "silo-1", [new(rank), new(rank + 1)], null),
        _ => JobLifecycle.RankEnded(state, End(rank)),
    };
}
