using Distributed.Bench.AllReduce;
using Distributed.Testing.Training;

namespace Distributed.Bench.Tests.AllReduce;

/// <summary>The limits that all-reduces are compared with.</summary>
public sealed class LimitTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task RawExchange_AnyNumberOfSilos_TimesEachIteration(int silos)
    {
        using var meeting = new LocalRendezvous(silos);
        var seconds = await Task.WhenAll(Enumerable.Range(0, silos).Select(silo => Task.Run(() =>
        {
            using var run = new RawExchangeRun(silos, silo, 100_000, meeting.Place(silo));
            return run.Run(4);
        })));
        Assert.All(seconds, s => Assert.Equal(4, s.Length));
        Assert.All(seconds.SelectMany(s => s), s => Assert.InRange(s, 1e-9, 60));
    }

    [Fact]
    public void MemoryCopy_MoreThreadsThanBytesDivideBy_TimesEachIteration() =>
        Assert.All(MemoryCopyRun.Run(400_003, 3, 5), s => Assert.InRange(s, 1e-10, 60));
}
