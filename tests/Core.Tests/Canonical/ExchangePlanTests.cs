using CsCheck;
using Distributed.Core.Canonical;

namespace Distributed.Core.Tests.Canonical;

public sealed class ExchangePlanTests
{
    private static readonly Gen<(int Blocks, int Silos, int Seed)> Cases = Gen.Select(Gen.Int[1, 3000], Gen.Int[2, 7], Gen.Int[0, 5]);

    [Fact]
    public void For_AnySizeAndSilos_SlicesCoverEveryElementOnceInWholeBlocks() => Cases.Sample(c =>
    {
        var plan = Plan(c.Blocks * (long)BlockPlan.BlockElements, c.Silos, c.Silos + c.Seed);
        var at = 0L;
        foreach (var slice in plan.Slices.OrderBy(s => s.Start))
        {
            Assert.Equal(at, slice.Start);
            Assert.Equal(0, slice.Start % BlockPlan.BlockElements);
            Assert.InRange(slice.Length, 1, 64 * 1024);
            Assert.InRange(slice.Owner, ExchangePlan.Everyone, c.Silos - 1);
            Assert.InRange(slice.Start, plan.Buckets[slice.Bucket].Start, plan.Buckets[slice.Bucket].End - 1);
            at = slice.End;
        }
        Assert.Equal(c.Blocks * (long)BlockPlan.BlockElements, at);
    });

    [Fact]
    public void For_AnySizeAndSilos_OwnersDifferByABlockABucket() => Cases.Sample(c =>
    {
        var plan = Plan(c.Blocks * (long)BlockPlan.BlockElements, c.Silos, c.Silos);
        if (plan.Slices[0].Owner == ExchangePlan.Everyone) return;
        foreach (var bucket in plan.Slices.GroupBy(s => s.Bucket))
        {
            var shares = Enumerable.Range(0, c.Silos).Select(
                o => bucket.Where(s => s.Owner == o).Sum(s => (s.Length + BlockPlan.BlockElements - 1) / BlockPlan.BlockElements)).ToList();
            Assert.InRange(shares.Max() - shares.Min(), 0, 1);
        }
    });

    [Fact]
    public void For_LargeGradient_HasASmallFirstBucketAndSixteenAtMost()
    {
        var plan = Plan(25L << 18, 2, 4);
        Assert.InRange(plan.Buckets.Count, 14, 17);
        Assert.True(plan.Buckets[0].Count * 3 < plan.Buckets[1].Count);
        Assert.Equal(plan.Slices.Count, plan.SlicesOf(plan.Buckets.Count - 1).End);
    }

    [Fact]
    public void For_SmallGradient_IsReducedByEveryone()
    {
        var plan = Plan(4 * BlockPlan.BlockElements, 3, 12);
        Assert.All(plan.Slices, s => Assert.Equal(ExchangePlan.Everyone, s.Owner));
        Assert.True(plan.Reduces(2, 0));
    }

    [Fact]
    public void For_ManyPartials_KeepsAMessageWithinAMebibyte()
    {
        // Silo 1 holds [1, 32): five blocks of the tree.
        var plan = ExchangePlan.For(8L << 20, [new(0, 1), new(1, 32)]);
        Assert.Equal([1, 5], plan.Partials.Select(p => p.Count));
        Assert.InRange(plan.LongestSlice * 5 * sizeof(float), 1, 1 << 20);
    }

    private static ExchangePlan Plan(long elements, int silos, int microBatches) =>
        ExchangePlan.For(elements, MicroBatchRuns.Plan(silos, microBatches));
}
