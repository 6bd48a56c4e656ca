using CsCheck;
using Distributed.Core.Canonical;

namespace Distributed.Core.Tests.Canonical;

public sealed class MicroBatchRunsTests
{
    [Theory]
    [InlineData(2, 8, "[0, 4)[4, 8)", 2)]
    [InlineData(2, 12, "[0, 6)[6, 12)", 4)]
    [InlineData(3, 12, "[0, 4)[4, 8)[8, 12)", 3)]
    [InlineData(3, 8, "[0, 3)[3, 6)[6, 8)", 5)]
    [InlineData(4, 5, "[0, 2)[2, 3)[3, 4)[4, 5)", 4)]
    [InlineData(3, 2, "[0, 1)[1, 2)[2, 2)", 2)]
    public void Plan_KnownCases_AreCutSo(int ranks, int microBatches, string expected, int partials)
    {
        var runs = MicroBatchRuns.Plan(ranks, microBatches);
        Assert.Equal(partials, runs.Sum(run => CanonicalTree.Partials(run).Count));
        Assert.Equal(expected, string.Concat(runs));
    }

    [Fact]
    public void Plan_AnyNumbers_CoversAllOverlapsNoneAndLeavesNoRankIdle() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[0, 300]).Sample((ranks, microBatches) =>
        {
            var runs = MicroBatchRuns.Plan(ranks, microBatches);
            Assert.Equal(ranks, runs.Count);
            Assert.Equal((0, microBatches), (runs[0].Start, runs[^1].End));
            Assert.All(runs.Zip(runs.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
            Assert.Equal((microBatches + ranks - 1) / ranks, runs.Max(run => run.Count));
            if (ranks <= microBatches) Assert.All(runs, run => Assert.True(run.Count > 0));
        });

    [Fact]
    public void Plan_SmallNumbers_HasTheFewestPartialsOfAllCuts() =>
        Gen.Select(Gen.Int[1, 4], Gen.Int[4, 16]).Sample((ranks, microBatches) =>
        {
            var longest = (microBatches + ranks - 1) / ranks;
            Assert.Equal(Fewest(0, ranks), MicroBatchRuns.Plan(ranks, microBatches).Sum(run => CanonicalTree.Partials(run).Count));

            int Fewest(int start, int left) => left == 0
                ? start == microBatches ? 0 : 1000
                : Enumerable.Range(1, longest).Where(n => start + n <= microBatches)
                    .Select(n => CanonicalTree.Partials(start, start + n).Count + Fewest(start + n, left - 1)).DefaultIfEmpty(1000).Min();
        });

    [Fact]
    public void Plan_ManyMicroBatches_IsQuickEnough() => Assert.Equal(1_000_000, MicroBatchRuns.Plan(64, 1_000_000)[^1].End);
}
