using Distributed.Bench.AllReduce;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Bench.Tests.AllReduce;

public sealed class AllReduceRunTests
{
    [Theory]
    [InlineData(4096, new[] { 2 })]
    [InlineData(3_000_000, new[] { 3 })]
    [InlineData(4096, new[] { 1, 1 })]
    [InlineData(3_000_000, new[] { 1, 1 })]
    [InlineData(3_000_000, new[] { 1, 1 }, false)]
    [InlineData(3_000_000, new[] { 2, 1, 1 })]
    [InlineData(3_000_000, new[] { 2, 1, 1 }, false)]
    public async Task Run_AnySizeSplitAndWay_LeavesNoElementWrong(long bytes, int[] shares, bool inMemory = true)
    {
        using var meeting = new LocalRendezvous(shares.Length);
        var results = await Task.WhenAll(shares.Select((_, silo) => Task.Run(() =>
        {
            var factory = shares.Length == 1
                ? null
                : new PeerExchangeFactory(meeting.Place(silo), new DirectWire(inMemory), overlap: false, _ => { });
            using var run = new AllReduceRun(shares, silo, "bench", bytes, factory);
            return run.Run(5);
        })));
        Assert.All(results, r => Assert.Equal(0, r.Wrong));
        Assert.All(results, r => Assert.All(r.Seconds, s => Assert.InRange(s, 1e-9, 60)));
    }
}
