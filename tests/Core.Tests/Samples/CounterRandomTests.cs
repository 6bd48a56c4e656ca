using CsCheck;
using Distributed.Core.Samples;

namespace Distributed.Core.Tests.Samples;

public class CounterRandomTests
{
    [Fact]
    public void NextUInt64_KnownSeeds_BitsNeverChange()
    {
        var zero = new CounterRandom(0, RandomPurpose.None);
        var other = new CounterRandom(-42, RandomPurpose.Augment, 7, 3);

        // Computed by a separate implementation.
        Assert.Equal(
            new ulong[] { 10551037463479562567, 15831899826465844695, 485812403775102225 },
            new[] { zero.NextUInt64(), zero.NextUInt64(), zero.NextUInt64() });
        Assert.Equal(
            new ulong[] { 10155748843472499300, 4145944329083764483, 6419355166136105389 },
            new[] { other.NextUInt64(), other.NextUInt64(), other.NextUInt64() });
    }

    [Fact]
    public void Constructor_AnyArgumentDiffers_OtherStream()
    {
        CounterRandom[] streams =
        [
            new(1, RandomPurpose.Shuffle, 2, 3), new(2, RandomPurpose.Shuffle, 2, 3), new(1, RandomPurpose.Augment, 2, 3),
            new(1, RandomPurpose.Shuffle, 3, 2), new(1, RandomPurpose.Shuffle, 2, 4), new(1, RandomPurpose.Shuffle, 0, 3),
        ];

        Assert.Equal(streams.Length, streams.Select(s => s.NextUInt64()).Distinct().Count());
    }

    [Fact]
    public void NextInt_KnownSeed_NumbersNeverChange()
    {
        var random = new CounterRandom(3, RandomPurpose.Weights);

        Assert.Equal([1030648344, 1895692149, 26746035, 1320524277], Enumerable.Range(0, 4).Select(_ => random.NextInt(2_000_000_000)));
    }

    [Fact]
    public void NextInt_AnyBound_StaysInside() =>
        Gen.Select(Gen.Long, Gen.Int[1, int.MaxValue]).Sample((seed, bound) =>
        {
            var random = new CounterRandom(seed, RandomPurpose.None);
            for (var i = 0; i < 20; i++) Assert.InRange(random.NextInt(bound), 0, bound - 1);
        });

    [Fact]
    public void NextInt_ManyDraws_EvenlySpread()
    {
        var random = new CounterRandom(1, RandomPurpose.None);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++) counts[random.NextInt(7)]++;

        Assert.All(counts, c => Assert.InRange(c, 9_600, 10_400));
    }

    [Fact]
    public void NextDouble_ManyDraws_InUnitIntervalWithMeanOneHalf()
    {
        var random = new CounterRandom(5, RandomPurpose.None);
        var values = Enumerable.Range(0, 100_000).Select(_ => random.NextDouble()).ToArray();

        Assert.All(values, v => Assert.True(v is >= 0 and < 1));
        Assert.InRange(values.Average(), 0.495, 0.505);
    }
}
