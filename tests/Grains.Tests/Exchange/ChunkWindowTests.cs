using Distributed.Core.Canonical;
using Distributed.Grains.Exchange;

namespace Distributed.Grains.Tests.Exchange;

public sealed class ChunkWindowTests
{
    [Theory]
    [InlineData(5_000_000, 2, 8)]
    [InlineData(5_000_000, 4, 8)]
    [InlineData(5_000_000, 12, 4)]
    [InlineData(5_000_000, 62, 2)]
    [InlineData(4096, 2, 8)]
    public void Of_TwoSilos_IsAboutTwoMebibytes(long elements, int microBatches, int expected)
    {
        var runs = MicroBatchRuns.Plan(2, microBatches);
        var plan = ExchangePlan.For(BlockPlan.Blocks(elements) * BlockPlan.BlockElements, [.. runs]);
        var chunk = plan.LongestSlice * sizeof(float) * plan.Partials.Max(p => p.Count);
        Assert.Equal(expected, ChunkWindow.Of(plan));
        Assert.InRange(chunk, 1, 1 << 20);
        Assert.InRange(chunk * expected, 1, 2 << 20);
    }
}
