using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;

namespace Distributed.Grains.Tests.Jobs;

/// <summary>What a silo cannot do is no fault of the job.</summary>
public sealed class JobFaultsTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private static JobState Running(int worldSize = 1) =>
        JobLifecycle.Grant(JobLifecycle.Submit(new JobState(), requeues: true).State, worldSize).State;

    private static JobTransition End(JobState state, string code, string[] silos, int rank = 0, params SiloFault[] lacking) =>
        JobLifecycle.RankEnded(
            state, new RankEnd(new(1), new(rank), RankOutcome.Failed, new JobError(code, "no such file", new(rank), "a", "start", null)),
            true, 0,
            new JobSurroundings([.. silos.Select(s => new SiloRoom(s, s == "small" ? 1 : 2))], "t", Now, [.. lacking]) { RanksNeeded = 2 });

    [Theory]
    [InlineData(ErrorCodes.PathMissing, "t")]
    [InlineData(ErrorCodes.Storage, null)]
    [InlineData(ErrorCodes.Native, null)]
    public void OnOneSiloOfTwo_LinesUpForTheOther(string code, string? inputs)
    {
        var (state, effects) = End(Running(), code, ["a", "b"]);
        Assert.Equal((JobPhase.Queued, true), (state.Phase, state.Resume));
        Assert.Equal(new SiloFault("a", code, "no such file", inputs, Now), Assert.Single(state.Faults));
        var warning = Assert.IsType<WarningEvent>(JobEventJson.Read(Assert.Single(effects.OfType<JobEffect.Log>()).Line.Json));
        Assert.StartsWith("Silo a: no such file.", warning.Message, StringComparison.Ordinal);
        Assert.Contains("tried on other silos (b)", warning.Message, StringComparison.Ordinal);
        Assert.Contains(effects, e => e is JobEffect.Enqueue);
    }

    [Fact]
    public void OnTheOnlySilo_FailsAndNamesIt()
    {
        var (state, _) = End(Running(), ErrorCodes.PathMissing, ["a"]);
        Assert.Equal(
            (JobPhase.Failed, "Silo a: no such file.", ErrorCodes.PathMissing), (state.Phase, state.Failure!.Message, state.Failure.Code));
        Assert.Empty(state.Faults);
    }

    [Fact]
    public void OthersLackItToo_FailsWithoutTryingThem()
    {
        var (state, _) = End(
            Running(), ErrorCodes.PathMissing, ["a", "b"], 0, new SiloFault("b", ErrorCodes.PathMissing, "none here", "t", Now));
        Assert.Equal(
            (JobPhase.Failed, "Silo a: no such file. The same or the like on all other silos (b)."), (state.Phase, state.Failure!.Message));
    }

    /// <summary>A full disk that shows at a checkpoint an hour later, now here and now there, would have it train for ever.</summary>
    [Fact]
    public void OthersFailedLongAgo_FailsUnlessACheckpointWasWrittenSince()
    {
        var old = Running() with { Faults = [new SiloFault("b", ErrorCodes.Storage, "full", null, Now - TimeSpan.FromHours(1))] };
        Assert.Equal(JobPhase.Failed, End(old, ErrorCodes.Storage, ["a", "b"]).State.Phase);
        Assert.Equal(JobPhase.Queued, End(JobLifecycle.Confirm(old, 100).State, ErrorCodes.Storage, ["a", "b"]).State.Phase);
    }

    [Fact]
    public void OnlyTooSmallSilosAreLeft_Fails()
    {
        var (state, _) = End(Running(), ErrorCodes.Native, ["a", "small"]);
        Assert.Equal(
            (JobPhase.Failed, "Silo a: no such file. What is left is too small for it (small)."), (state.Phase, state.Failure!.Message));
    }

    [Fact]
    public void ACheckpoint_ForgetsLossesBeforeIt()
    {
        var lost = Running() with { Fruitless = JobLifecycle.MostFruitless - 1 };
        JobState Lose(JobState state) => JobLifecycle.SiloLost(state, "a", [new(0)], null, progressed: false).State;
        Assert.Equal(JobPhase.Failed, Lose(lost).Phase);
        Assert.Equal(
            (JobPhase.Queued, 1, 10L),
            (Lose(JobLifecycle.Confirm(lost, 10).State) is var kept ? (kept.Phase, kept.Fruitless, kept.Confirmed) : default));
    }

    [Fact]
    public void WaitsForAllItsRanks_AndTakesTheFirstFault()
    {
        var one = End(Running(2), ErrorCodes.PathMissing, ["a", "b"], rank: 1);
        Assert.Equal(JobPhase.Running, one.State.Phase);
        Assert.Contains(one.Effects, e => e is JobEffect.AbortRanks);
        Assert.Equal(JobPhase.Queued, End(one.State, ErrorCodes.SiloLost, ["a", "b"]).State.Phase);
    }

    [Fact]
    public void WhatIsWrongWithTheJob_FailsItAtOnce() =>
        Assert.Equal(JobPhase.Failed, End(Running(), ErrorCodes.DataInvalid, ["a", "b"]).State.Phase);

    [Fact]
    public void JobOfOneClient_FailsWithItsOwnWords()
    {
        var state = JobLifecycle.Grant(JobLifecycle.Submit(new JobState()).State, 1).State;
        Assert.Equal("no such file", End(state, ErrorCodes.PathMissing, ["a", "b"]).State.Failure!.Message);
    }
}
