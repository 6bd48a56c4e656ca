using Distributed.Core.DataSets;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Schedules;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;

namespace Distributed.Core.Tests.Stepping;

public sealed class StepDeciderTests
{
    [Fact]
    public void Decide_CleanStep_CommitsAndMovesAllCounters()
    {
        var decision = Decide(Votes.Clean(step: 7, updates: 5) with { NormSquared = 16 }, Spec() with { ClipNorm = 1 });
        Assert.True(decision.Commit);
        Assert.Equal((7, 6, 2), (decision.After.Step, decision.After.Updates, decision.After.LossScale.GrowthTracker));
        Assert.Equal((float)(1 / (4 + 1e-6)), decision.ClipCoefficient);
        Assert.Null(decision.Failure);
    }

    [Theory]
    [InlineData(true, 1.0)]
    [InlineData(false, double.NaN)]
    [InlineData(false, double.PositiveInfinity)]
    public void Decide_NonFiniteGradient_MovesNothingButScaleTrackerAndCounters(bool foundInf, double normSquared)
    {
        var vote = Votes.Clean(step: 7, updates: 5) with { FoundInf = foundInf, NormSquared = normSquared };
        var decision = Decide(vote, Spec() with { ClipNorm = 1 });
        Assert.False(decision.Commit);
        Assert.Equal(new TrainerState(7, 5, new(32768, 0, 1, -1, 1)) { RecentSkips = 1.0 / 7 }, decision.After);
        Assert.Equal(1, decision.ClipCoefficient);
    }

    [Fact]
    public void Decide_SmallNorm_IsNotClipped() =>
        Assert.Equal(1, Decide(Votes.Clean(1, 0), Spec() with { ClipNorm = 100 }).ClipCoefficient);

    [Fact]
    public void Decide_AfterSkips_TakesTheRateByUpdates() =>
        Assert.Equal(0.5, Decide(Votes.Clean(step: 90, updates: 5), Spec() with
        {
            Optimizer = OptimizerSpec.Of(new AdamWOptions { Lr = 1 }),
            Schedule = ScheduleSpec.Of(new LinearOptions()),
        }).LearningRate);

    [Fact]
    public void Decide_LastSkipAllowed_FailsNamingParameterScaleStepAndRemedy()
    {
        var vote = Votes.Clean(step: 218, updates: 110) with { FoundInf = true, NonFinite = "fc1.weight" };
        vote = vote with { Before = vote.Before with { LossScale = vote.Before.LossScale with { ConsecutiveSkips = 98 } } };
        Assert.Null(Decide(vote, Spec()).Failure);
        vote = vote with { Before = vote.Before with { LossScale = vote.Before.LossScale with { ConsecutiveSkips = 99 } } };
        var failure = Decide(vote, Spec()).Failure;
        Assert.All(["fc1.weight", "65536", "Step 218", "100 steps", "optimizer.lr"], part => Assert.Contains(
            part, failure, StringComparison.Ordinal));
        Assert.NotNull(
            Decide(Votes.Clean(2, 0) with { FoundInf = true }, Spec() with { LossScale = new() { MaxConsecutiveSkips = 1 } }).Failure);
    }

    [Theory]
    [InlineData("torch", 65536, 2.5, true)]
    [InlineData("torch", 65536, double.NaN, false)]
    [InlineData("torch", 65536, double.PositiveInfinity, false)]
    [InlineData("torch", 1, 2.5, false)]
    [InlineData("static", 65536, 2.5, false)]
    [InlineData("megatron", 65536, 2.5, true)]
    [InlineData("deepspeed", 65536, 2.5, true)]
    public void Decide_Skip_IsExplainedOnlyWhereTheScaleGivesWay(string name, float scale, double loss, bool explained)
    {
        var policy = LossScalePolicies.Create(LossScalePolicies.Defaults(name));
        var vote = Votes.Clean(3, 2) with { FoundInf = true, LossSum = loss, NonFinite = "fc2.bias" };
        vote = vote with { Before = vote.Before with { LossScale = policy.Initial with { Scale = scale } } };
        var skips = StepDecider.Decide(Spec(), 10, policy, vote, StepControl.GoOn).After.Skips;
        Assert.Equal(explained ? default : new SkipTally(1, 3, "fc2.bias"), skips);
    }

    [Fact]
    public void Decide_ScaleAtItsFloor_ExplainsNothing()
    {
        var policy = LossScalePolicies.Create(LossScalePolicies.Defaults("megatron") with { Min = 8, Init = 8, Hysteresis = 2 });
        var state = new TrainerState(0, 0, policy.Initial);
        for (var step = 1; step <= 3; step++)
            state = StepDecider.Decide(
                Spec(), 10, policy, Votes.Clean(step, 0) with { Before = state, FoundInf = true }, StepControl.GoOn).After;
        Assert.Equal(new SkipTally(2, 2, null), state.Skips);
    }

    [Theory]
    [InlineData(9, 8, null)]
    [InlineData(10, 5, null)]
    [InlineData(10, 6, "6 of 10 steps skipped")]
    public void Decide_ShortJob_IsJudgedAtItsEndByUnexplainedSkips(long step, long unexplained, string? failure)
    {
        var vote = Votes.Clean(step, step - 1 - unexplained);
        vote = vote with { Before = vote.Before with { Skips = new SkipTally(unexplained, 2, "fc1.weight") } };
        var decision = Decide(vote, Spec());
        if (failure is null) Assert.Null(decision.Failure);
        else Assert.All([failure, "lossScale.maxSkippedShare, 0.5", "since step 2 the gradient of 'fc1.weight'"], part => Assert.Contains(
            part, decision.Failure, StringComparison.Ordinal));
        Assert.Null(Decide(vote, Spec() with { LossScale = new() { MaxSkippedShare = 1 } }).Failure);
    }

    [Theory]
    [InlineData(99, 0, false)]
    [InlineData(100, 49, true)]
    [InlineData(100, 50, false)]
    public void Decide_SettledJob_IsJudgedByAllSkips(long step, long updatesAfter, bool fails)
    {
        var vote = Votes.Clean(step, updatesAfter) with { FoundInf = true, NonFinite = "fc1.weight" };
        Assert.Equal(fails, StepDecider.Decide(Spec(), 1000, Votes.Policy, vote, StepControl.GoOn).Failure is not null);
    }

    /// <summary>Two of three steps are lost after many good ones; or one of two, which the share allows.</summary>
    [Theory]
    [InlineData(3, 2, 0.5, true)]
    [InlineData(2, 1, 0.5, false)]
    [InlineData(3, 2, 1, false)]
    [InlineData(10, 1, 0.05, true)]
    public void Decide_LongJobThatTurnsBad_IsJudgedByItsLatestSteps(int period, int lost, double share, bool fails)
    {
        var state = new TrainerState(50_000, 50_000, Votes.Policy.Initial);
        StepDecision decision;
        var steps = 0;
        do
        {
            var vote = Votes.Clean(state.Step + 1, state.Updates) with
            {
                Before = state,
                FoundInf = steps % period < lost,
                NonFinite = "fc1.weight",
            };
            decision = StepDecider.Decide(
                Spec() with { LossScale = new() { MaxSkippedShare = share } }, 1_000_000, Votes.Policy, vote, StepControl.GoOn);
            state = decision.After;
        }
        while (decision.Failure is null && ++steps < 5000);

        Assert.Equal(fails, decision.Failure is not null);
        if (!fails) return;
        Assert.InRange(steps, TrainerState.RecentSteps / 4, 2 * TrainerState.RecentSteps);
        Assert.Contains(
            "of the latest steps (some 1000) skipped, more than the share of lossScale.maxSkippedShare", decision.Failure,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Decide_PolicyGivesUp_FailsWithItsReason()
    {
        var policy = LossScalePolicies.Create(LossScalePolicies.Defaults("deepspeed") with { Hysteresis = 1 });
        var vote = Votes.Clean(3, 2) with { FoundInf = true };
        vote = vote with { Before = vote.Before with { LossScale = policy.Initial with { Scale = 1 } } };
        var decision = StepDecider.Decide(Spec(), 10, policy, vote, StepControl.GoOn);
        Assert.Contains("minimum", decision.Failure, StringComparison.Ordinal);
        Assert.Equal((3, 2, 1), (decision.After.Step, decision.After.Updates, decision.After.LossScale.ConsecutiveSkips));
    }

    [Fact]
    public void Decide_RequestedControl_IsPassedOn() =>
        Assert.Equal(
            StepControl.CheckpointAndStop,
            StepDecider.Decide(Spec(), 10, Votes.Policy, Votes.Clean(1, 0), StepControl.CheckpointAndStop).Control);

    private static StepDecision Decide(StepVote vote, JobSpec spec) => StepDecider.Decide(spec, 10, Votes.Policy, vote, StepControl.GoOn);

    private static JobSpec Spec() => new()
    {
        Name = "test",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions()),
        GlobalBatch = 8,
        MicroBatch = 2,
        Steps = 10,
    };
}
