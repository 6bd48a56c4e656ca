using Distributed.Client.Cluster;
using Distributed.Client.Commands;
using Distributed.Protocol.V1;

namespace Distributed.Client.Tests.Commands;

public sealed class LogsCommandTests
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("30m", "2026-05-01T11:30:00Z")]
    [InlineData("2d", "2026-04-29T12:00:00Z")]
    [InlineData("2026-04-30T08:00:00Z", "2026-04-30T08:00:00Z")]
    [InlineData("2026-04-30T08:00:00+02:00", "2026-04-30T06:00:00Z")]
    public void ParseTime_DurationBeforeNowOrTime(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), LogsCommand.ParseTime(text, Noon));

    [Theory]
    [InlineData("7")]
    [InlineData("yesterday")]
    [InlineData("30min")]
    public async Task Since_NoTime_Exits2AndSaysWhatIsOne(string text)
    {
        var (code, _, error) = await Dtrain.RunAsync("logs", "job", "--since", text);
        Assert.Equal(2, code);
        Assert.Contains($"--since: found '{text}', expected a duration from 1s to 365d", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-05-01T12:00:00.000Z step 3", true)]
    [InlineData("2026-05-01T11:59:59.999Z step 2", false)]
    [InlineData("no time at all", true)]
    public void IsSince_ByTheTimeThatALineBeginsWith(string line, bool expected) => Assert.Equal(expected, LogsCommand.IsSince(line, Noon));

    [Theory]
    [InlineData("running", 12, 12)]
    [InlineData("queued", 0, 0)]
    [InlineData("completed", 12, 11)]
    [InlineData("stopped", 0, 0)]
    public void FirstNews_OfAJobThatHasEnded_IsItsEnd(string state, long events, long first) =>
        Assert.Equal(first, JobFollower.FirstNews(new JobStatus { State = state, Events = events }));
}
