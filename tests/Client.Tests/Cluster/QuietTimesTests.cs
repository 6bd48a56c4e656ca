using System.Threading.Channels;
using Distributed.Client.Cluster;

namespace Distributed.Client.Tests.Cluster;

public sealed class QuietTimesTests
{
    [Fact]
    public async Task Mark_NothingComes_TellsAgainAndAgainMoreSeldom()
    {
        var lines = Channel.CreateUnbounded<string>();
        HurriedTime time = new();
        List<long> seconds = [];
        await foreach (var line in QuietTimes.MarkAsync(lines.Reader.ReadAllAsync(), time))
        {
            if (line is not null) break;
            seconds.Add(time.GetTimestamp() / TimeSpan.TicksPerSecond);
            if (seconds.Count == 7) lines.Writer.TryWrite("line");
        }

        Assert.Equal([2L, 6, 14, 30, 60, 90, 120], seconds[..7]);
    }

    [Fact]
    public async Task Mark_LinesThatAreThere_ComeWithoutMarks()
    {
        var lines = Channel.CreateUnbounded<string>();
        for (var i = 0; i < 100; i++) lines.Writer.TryWrite($"{i}");
        lines.Writer.Complete();
        List<string?> read = [];
        await foreach (var line in QuietTimes.MarkAsync(lines.Reader.ReadAllAsync(), TimeProvider.System)) read.Add(line);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), read);
    }
}
