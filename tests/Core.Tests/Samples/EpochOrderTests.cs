using CsCheck;
using Distributed.Core.Samples;

namespace Distributed.Core.Tests.Samples;

public class EpochOrderTests
{
    [Fact]
    public void Permutation_AnyArguments_EachSampleOnce() =>
        Gen.Select(Gen.Int[0, 300], Gen.Long, Gen.Long[0, 1_000_000]).Sample((count, seed, epoch) =>
            Assert.Equal(Enumerable.Range(0, count), EpochOrder.Permutation(count, seed, epoch).Order()));

    [Fact]
    public void Permutation_KnownSeed_OrderNeverChanges() =>
        Assert.Equal([9, 2, 4, 7, 6, 8, 1, 0, 5, 3], EpochOrder.Permutation(10, 42, 1));

    [Fact]
    public void Permutation_OtherEpoch_OtherOrder() =>
        Assert.NotEqual(EpochOrder.Permutation(100, 42, 0), EpochOrder.Permutation(100, 42, 1));
}
