using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;

namespace Distributed.Grains.Tests.Jobs;

/// <summary>A clock of the test's own decides when a job is over its limit.</summary>
public sealed class JobLimitsTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly JobBounds Limits = new(TimeSpan.FromHours(2), TimeSpan.FromHours(8));

    private static readonly JobBounds None = new(null, null);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(12);

    private static DateTimeOffset After(double hours) => Noon.AddHours(hours);

    private static JobState Queued() => Enter(new JobState(), before => JobLifecycle.Submit(before, requeues: true, Noon), 0);

    private static JobState Enter(JobState state, Func<JobState, JobTransition> change, double hours) =>
        JobLimits.Follow(state, change(state).State, After(hours));

    private static JobState Grant(JobState state, double hours) => Enter(state, before => JobLifecycle.Grant(before, 1), hours);

    private static JobTransition End(JobState state, RankOutcome outcome = RankOutcome.Stopped, JobError? error = null) =>
        JobLifecycle.RankEnded(state, new RankEnd(state.Generation, new(0), outcome, error), step: 71);

    [Fact]
    public void Expire_Waiting_FailsAtItsLimitAndNotBefore()
    {
        var queued = Queued();
        Assert.Equal(TimeSpan.FromHours(0.5), JobLimits.Left(queued, Limits, After(1.5)));
        Assert.Empty(JobLimits.Expire(queued, Limits, After(1.99), 0, Patience).Effects);
        Assert.Equal("has waited 1h 30m of 2h (limits.queued)", JobLimits.Describe(queued, Limits, After(1.5)));

        var late = JobLimits.Expire(queued, Limits, After(2), 0, Patience);
        Assert.Equal((JobPhase.Failed, ErrorCodes.LimitExceeded), (late.State.Phase, late.State.Failure!.Code));
        Assert.Equal("It waited in the queue for 2h, the limit that the job sets in limits.queued.", late.State.Failure.Message);
        Assert.Collection(late.Effects, e => Assert.Equal(JobPhase.Failed, Assert.IsType<JobEffect.Log>(e).Line.Ending), e =>
            Assert.IsType<JobEffect.Release>(e));
    }

    [Fact]
    public void Expire_Running_EndsWithACheckpointAndFailsOnceTheRanksHaveEnded()
    {
        var running = Grant(Queued(), 1);
        Assert.Empty(JobLimits.Expire(running, Limits, After(8.99), 70, Patience).Effects);
        var told = JobLimits.Expire(running, Limits, After(9), 70, Patience);
        Assert.Equal((JobPhase.Running, StepControl.CheckpointAndStop), (told.State.Phase, told.State.Requested));
        Assert.Contains(new JobEffect.RequestStop(StepControl.CheckpointAndStop), told.Effects);
        Assert.Equal(Patience, JobLimits.Left(told.State, Limits, After(9)));

        var stopped = JobLifecycle.Announce(told.State, new(1), EventLine.Of(new StoppedEvent(71, "ab", "c"))).State;
        var ended = End(stopped);
        Assert.Equal(
            (JobPhase.Failed, ErrorCodes.LimitExceeded, 71L), (ended.State.Phase, ended.State.Failure!.Code, ended.State.Failure.Step));
        Assert.Equal("It ran for 8h, the limit that the job sets in limits.run.", ended.State.Failure.Message);
        Assert.Single(ended.Effects.OfType<JobEffect.Log>());
        // It takes nothing back from a job that just made it.
        var done = End(
            JobLifecycle.Announce(told.State, new(1), EventLine.Of(new CompletedEvent(71, 0.5, "ab", 0, 1, 1, "c"))).State,
            RankOutcome.Completed);
        Assert.Equal(JobPhase.Completed, done.State.Phase);
    }

    [Fact]
    public void Left_AcrossRequeues_RunTimeAddsUpAndEachWaitCountsForItself()
    {
        var again = Grant(Queued(), 1.5);
        again = JobLifecycle.Move(again, "silo b is leaving").State;
        again = Enter(again, state => End(state), 4.5);
        Assert.Equal((JobPhase.Queued, TimeSpan.FromHours(3)), (again.Phase, again.Ran));
        Assert.Equal(TimeSpan.FromHours(2), JobLimits.Left(again, Limits, After(4.5)));
        again = Grant(again, 6);
        Assert.Equal(TimeSpan.FromHours(5), JobLimits.Left(again, Limits, After(6)));
        Assert.Equal("has run 4h of 8h (limits.run)", JobLimits.Describe(again, Limits, After(7)));
        Assert.NotNull(JobLimits.Expire(again, Limits, After(11), 0, Patience).State.Overdue);
    }

    [Fact]
    public void Finish_OverdueWhileItsSiloIsLost_DoesNotComeBack()
    {
        var told = JobLimits.Expire(Grant(Queued(), 0), Limits, After(8), 70, Patience).State;
        Assert.Same(told, JobLifecycle.Move(told, "silo b is leaving").State);
        var lost = End(told, RankOutcome.Failed, new JobError(ErrorCodes.SiloLost, "gone", new(0), "b", null, 71));
        Assert.Equal((JobPhase.Failed, ErrorCodes.LimitExceeded), (lost.State.Phase, lost.State.Failure!.Code));
    }

    [Fact]
    public void Resume_AfterALimit_BothTimesBeginAnew()
    {
        var failed = Enter(JobLimits.Expire(Grant(Queued(), 0), Limits, After(8), 70, Patience).State, state => End(state), 8);
        Assert.Equal(JobPhase.Failed, failed.Phase);
        var resumed = Enter(failed, state => JobLifecycle.Resume(state, After(20)), 20);
        Assert.Equal((JobPhase.Queued, TimeSpan.Zero, true), (resumed.Phase, resumed.Ran, resumed.Resume));
        Assert.Null(resumed.Overdue);
        Assert.Equal(TimeSpan.FromHours(2), JobLimits.Left(resumed, Limits, After(20)));
        Assert.Equal(TimeSpan.FromHours(8), JobLimits.Left(Grant(resumed, 21), Limits, After(21)));
    }

    [Fact]
    public void Expire_StopAskedOrNoLimit_ChangesNothing()
    {
        var stopping = JobLifecycle.Stop(Grant(Queued(), 0), checkpoint: true).State;
        Assert.Same(stopping, JobLimits.Expire(stopping, Limits, After(99), 0, Patience).State);
        var free = Grant(Queued(), 0);
        Assert.Same(free, JobLimits.Expire(free, None, After(99), 0, Patience).State);
        Assert.Same(free, JobLimits.Expire(free, Limits with { Run = null }, After(99), 0, Patience).State);
        Assert.Equal("", JobLimits.Describe(free, None, After(99)));
        // A clock that was set back takes no time from the job.
        Assert.Equal(TimeSpan.FromHours(8), JobLimits.Left(free, Limits, After(-5)));
    }

    /// <summary>The step in flight takes longer than a job that is to end may take.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Expire_AskedToEndAndStillRunning_RanksAreEnded(bool byOwner)
    {
        var running = Grant(Queued(), 0);
        var told = byOwner
            ? JobLifecycle.Stop(running, checkpoint: true, 70, After(8) + Patience).State
            : JobLimits.Expire(running, Limits, After(8), 70, Patience).State;
        // Asking again does not put it off.
        told = JobLifecycle.Stop(told, checkpoint: false, 70, After(9)).State;
        Assert.Empty(JobLimits.Expire(told, Limits, After(8), 70, Patience).Effects);

        var cut = JobLimits.Expire(told, Limits, After(8) + Patience, 70, Patience);
        var abort = Assert.Single(cut.Effects.OfType<JobEffect.AbortRanks>());
        Assert.Equal((true, ErrorCodes.Deadline, 70L), (abort.AtOnce, abort.Reason.Code, abort.Reason.Step));
        Assert.Null(JobLimits.Left(cut.State, Limits, After(10)));
        var ended = End(cut.State, RankOutcome.Failed, abort.Reason);
        Assert.Equal(byOwner ? JobPhase.Stopped : JobPhase.Failed, ended.State.Phase);
        if (!byOwner) Assert.Equal(ErrorCodes.LimitExceeded, ended.State.Failure!.Code);
        Assert.Contains(new JobEffect.Release(), ended.Effects);
    }

    /// <summary>The shorter one counts, and the message says whose it is.</summary>
    [Theory]
    [InlineData(null, null, null, "")]
    [InlineData(8, null, 8, "It ran for 8h, the limit that the job sets in limits.run.")]
    [InlineData(8, 9, 8, "It ran for 8h, the limit that the job sets in limits.run.")]
    [InlineData(8, 8, 8, "It ran for 8h, the limit that the job sets in limits.run.")]
    [InlineData(8, 7, 7, "It ran for 7h, the longest that the cluster's operator lets a job of user ann run.")]
    [InlineData(null, 7, 7, "It ran for 7h, the longest that the cluster's operator lets a job of user ann run.")]
    public void Of_JobsAndOperatorsLimit_TheShorterOne(int? own, int? operators, int? expected, string message)
    {
        static TimeSpan? Hours(int? hours) => hours is { } h ? TimeSpan.FromHours(h) : null;
        var bounds = JobBounds.Of(
            new LimitsSpec { Queued = TimeSpan.FromHours(1), Run = Hours(own) }, "ann", new UserQuota(null, null, null, Hours(operators)));
        Assert.Equal((Hours(1), Hours(expected)), (bounds.Queued, bounds.Run));
        Assert.Equal(message, JobLimits.Expire(Grant(Queued(), 0), bounds, After(10), 70, Patience).State.Overdue?.Message ?? "");
    }

    /// <summary>The silos of <c>dtrain train</c> are its user's alone: he waits as long as he likes.</summary>
    [Fact]
    public void Stop_OwnersOwnSilos_WaitsForTheStep()
    {
        var running = JobLifecycle.Grant(JobLifecycle.Submit(new JobState()).State, 1).State;
        var stopping = JobLifecycle.Stop(running, checkpoint: true, 70, After(1)).State;
        Assert.Null(JobLimits.Left(JobLimits.Follow(new JobState(), stopping, After(0)), Limits, After(9)));
    }

    /// <summary>It has failed, but a rank does not look up: its owner frees the slots.</summary>
    [Fact]
    public void Stop_FailedWhoseRanksStillRun_EndsThem()
    {
        var running = JobLifecycle.Grant(JobLifecycle.Submit(new JobState(), requeues: true).State, 2).State;
        var failed = JobLifecycle.RankEnded(running, new RankEnd(
            new(1), new(0), RankOutcome.Failed, new JobError(ErrorCodes.DataInvalid, "bad", new(0), null, null, 3))).State;
        Assert.Equal(JobPhase.Failed, failed.Phase);
        var stop = JobLifecycle.Stop(failed, checkpoint: true, 3, After(1));
        Assert.Equal([new JobEffect.AbortRanks(failed.Failure!, AtOnce: true)], stop.Effects);
        Assert.Same(failed, stop.State);
        var ended = JobLifecycle.RankEnded(failed, new RankEnd(new(1), new(1), RankOutcome.Failed, failed.Failure)).State;
        Assert.Empty(JobLifecycle.Stop(ended, checkpoint: true, 3, After(1)).Effects);
    }
}
