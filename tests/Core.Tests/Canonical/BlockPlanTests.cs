using CsCheck;
using Distributed.Core.Canonical;

namespace Distributed.Core.Tests.Canonical;

public sealed class BlockPlanTests
{
    [Fact]
    public void Deal_AnyBuffer_CoversAllOverlapsNoneEvenly() =>
        Gen.Select(Gen.Long[0, 5_000_000], Gen.Int[1, 12], Gen.Int[1, 4]).Sample((elements, silos, ranks) =>
        {
            var bySilo = BlockPlan.Deal(elements, silos);
            var byRank = bySilo.SelectMany(run => BlockPlan.Deal(run, ranks)).ToList();
            foreach (var runs in new[] { bySilo, byRank })
            {
                Assert.Equal((0, elements), (runs[0].Start, runs[^1].End));
                Assert.All(runs.Zip(runs.Skip(1)), pair => Assert.Equal(pair.First.End, pair.Second.Start));
                Assert.All(runs, run => Assert.True(run.Count >= 0 && (run.Start == elements || run.Start % BlockPlan.BlockElements == 0)));
            }

            var counts = bySilo.Select(run => BlockPlan.Blocks(run.Count)).ToList();
            Assert.True(counts.Max() - counts.Min() <= 1);
        });

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(4096, 1)]
    [InlineData(4097, 2)]
    public void Blocks_ShortLastBlock_Counts(long elements, long blocks) => Assert.Equal(blocks, BlockPlan.Blocks(elements));
}
