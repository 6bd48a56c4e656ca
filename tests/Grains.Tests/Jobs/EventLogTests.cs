using CsCheck;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;

namespace Distributed.Grains.Tests.Jobs;

public sealed class EventLogTests
{
    [Fact]
    public void Read_AnyPageSize_YieldsEveryEventOnceInOrder() =>
        Gen.Select(Gen.Int[0, 300], Gen.Int[1, 50]).Sample((count, page) =>
        {
            var log = new EventLog(1000);
            for (var i = 0; i < count; i++) log.Append($"e{i}");
            var seen = new List<NumberedEvent>();
            while (seen.Count < count) seen.AddRange(log.Read(seen.Count, page));
            Assert.Equal(Enumerable.Range(0, count).Select(i => new NumberedEvent(i, $"e{i}")), seen);
            Assert.Empty(log.Read(count, page));
        });

    [Fact]
    public void Read_FromForgottenEvent_StartsAtOldestKeptWithItsNumber()
    {
        var log = new EventLog(16);
        for (var i = 0; i < 1000; i++) log.Append($"e{i}");
        var page = log.Read(0, 4096);
        Assert.InRange(page.Length, 16, 18);
        Assert.All(page, e => Assert.Equal($"e{e.Number}", e.Json));
        Assert.Equal(999, page[^1].Number);
    }
}
