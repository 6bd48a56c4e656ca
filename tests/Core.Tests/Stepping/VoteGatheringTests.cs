using CsCheck;
using Distributed.Core.Stepping;

namespace Distributed.Core.Tests.Stepping;

public sealed class VoteGatheringTests
{
    private int decisions;

    [Fact]
    public void Add_LastSilo_DecidesOnceForAll()
    {
        var gathering = Open("a", "b", "c");
        var vote = Votes.Clean(5, 4);
        Assert.Equal(["b", "c"], Assert.IsType<VoteOutcome.Waiting>(gathering.Add("a", vote)).Missing);
        Assert.Equal(["b", "c"], Assert.IsType<VoteOutcome.Waiting>(gathering.Add("a", vote)).Missing);
        gathering.Add("c", vote);
        Assert.Equal(["b"], gathering.Missing);
        var decided = Assert.IsType<VoteOutcome.Decided>(gathering.Add("b", vote)).Decision;
        Assert.Empty(gathering.Missing);
        Assert.Same(decided, Assert.IsType<VoteOutcome.Decided>(gathering.Add("a", vote)).Decision);
        Assert.Equal(1, decisions);
        Assert.IsType<VoteOutcome.Waiting>(gathering.Add("a", Votes.Clean(6, 5)));
    }

    [Fact]
    public void Add_UnequalVotes_NamesSilosFieldAndBothValues_AndStaysBroken()
    {
        var gathering = Open("a", "b");
        gathering.Add("a", Votes.Clean(5, 4));
        var unequal = Assert.IsType<VoteOutcome.Unequal>(gathering.Add("b", Votes.Clean(5, 4) with { LossSum = 3.5 }));
        Assert.All(
            ["a and b", "loss sum", "2.5", "3.5", "Step 5"], part => Assert.Contains(part, unequal.Message, StringComparison.Ordinal));
        Assert.Equal(unequal, gathering.Add("b", Votes.Clean(5, 4)));
        Assert.Equal(0, decisions);
    }

    [Fact]
    public void Add_OtherContentForTheStepJustDecided_IsUnequal()
    {
        var gathering = Open("a");
        gathering.Add("a", Votes.Clean(5, 4));
        Assert.IsType<VoteOutcome.Unequal>(gathering.Add("a", Votes.Clean(5, 4) with { Items = 7 }));
    }

    [Fact]
    public void Add_NaNs_AreEqualAndZerosDifferBySign()
    {
        var gathering = Open("a", "b");
        var nan = Votes.Clean(5, 4) with { FoundInf = true, NormSquared = double.NaN };
        gathering.Add("a", nan);
        Assert.IsType<VoteOutcome.Decided>(
            gathering.Add("b", nan with { NormSquared = BitConverter.Int64BitsToDouble(0x7ff8000000000001) }));
        gathering.Add("a", Votes.Clean(6, 4) with { LossSum = 0.0 });
        Assert.IsType<VoteOutcome.Unequal>(gathering.Add("b", Votes.Clean(6, 4) with { LossSum = -0.0 }));
    }

    [Fact]
    public void Add_OtherGenerationStepOrSilo_IsStaleAndNotCounted()
    {
        var gathering = Open("a", "b");
        gathering.Add("a", Votes.Clean(5, 4));
        Assert.IsType<VoteOutcome.Stale>(gathering.Add("b", Votes.Clean(5, 4) with { Generation = new(2) }));
        Assert.IsType<VoteOutcome.Stale>(gathering.Add("b", Votes.Clean(4, 4)));
        Assert.IsType<VoteOutcome.Stale>(gathering.Add("b", Votes.Clean(6, 4)));
        Assert.Contains("a, b", Assert.IsType<VoteOutcome.Stale>(gathering.Add("x", Votes.Clean(5, 4))).Message, StringComparison.Ordinal);
        Assert.IsType<VoteOutcome.Decided>(gathering.Add("b", Votes.Clean(5, 4)));
        Assert.IsType<VoteOutcome.Stale>(gathering.Add("b", Votes.Clean(7, 6)));
    }

    [Fact]
    public void FirstDifference_AnyOneFieldChanged_IsFound()
    {
        var vote = Votes.Clean(5, 4);
        var scaling = vote.Before.LossScale;
        StepVote[] changed =
        [
            vote with { Generation = new(9) }, vote with { FoundInf = true }, vote with { NormSquared = 9 }, vote with { LossSum = 9 },
            vote with { Items = 9 }, vote with { NonFinite = "w" }, vote with { Before = vote.Before with { Step = 9 } },
            vote with { Before = vote.Before with { Updates = 9 } }, Scaled(scaling with { Scale = 9 }),
            Scaled(scaling with { GrowthTracker = 9 }),
            Scaled(scaling with { Hysteresis = 9 }), Scaled(scaling with { LastOverflow = 9 }),
            Scaled(scaling with { ConsecutiveSkips = 9 }),
            vote with { Before = vote.Before with { RecentSkips = 0.5 } },
            .. new SkipTally[] { new(1, 0, null), new(0, 1, null), new(0, 0, "w") }
                .Select(skips => vote with { Before = vote.Before with { Skips = skips } }),
        ];
        Assert.All(changed, other => Assert.NotNull(VoteComparison.FirstDifference(vote, other)));
        Assert.Null(VoteComparison.FirstDifference(vote, Votes.Clean(5, 4)));

        StepVote Scaled(Core.LossScaling.LossScaleState state) => vote with { Before = vote.Before with { LossScale = state } };
    }

    [Fact]
    public void Add_VotesInAnyOrder_GiveTheSameDecisions() =>
        Gen.Shuffle(new[] { "a", "b", "c", "d" }).Sample(order =>
        {
            var gathering = Open("a", "b", "c", "d");
            foreach (var step in new long[] { 1, 2, 3 })
            {
                var outcomes = order.Select(silo => gathering.Add(silo, Votes.Clean(step, step - 1))).ToList();
                Assert.All(outcomes[..^1], outcome => Assert.IsType<VoteOutcome.Waiting>(outcome));
                Assert.Equal(step, Assert.IsType<VoteOutcome.Decided>(outcomes[^1]).Decision.Step);
            }
        });

    private VoteGathering Open(params string[] silos) => new(new(1), silos, vote =>
    {
        Interlocked.Increment(ref decisions);
        return new(vote.Step, true, vote.Before, 1, 0.1, StepControl.GoOn, null);
    });
}
