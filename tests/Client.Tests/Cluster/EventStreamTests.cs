using Distributed.Client.Cluster;
using Distributed.Protocol.V1;
using Grpc.Core;

namespace Distributed.Client.Tests.Cluster;

public sealed class EventStreamTests
{
    private readonly List<string> said = [];
    private readonly List<long> opened = [];

    [Fact]
    public async Task Read_ConnectionsBreak_GoesOnAtTheNextNumberWithoutGapsAndDoubles()
    {
        // The second server says again what was heard already.
        var read = await ReadAsync(
            new Outage(TimeSpan.FromMinutes(1), said.Add, new HurriedTime()), Lines(0, 1, 2).Then(StatusCode.Unavailable),
            Lines(2, 3, 4).Then(StatusCode.Internal), Lines().Then(StatusCode.Unavailable), Lines(5));
        Assert.Equal([0L, 1, 2, 3, 4, 5], read);
        Assert.Equal([0L, 3, 5, 5], opened);
        Assert.Equal(
            ["The cluster does not answer; waiting up to 60 s for it to come back.", "The cluster answers again.",
                "The cluster does not answer; waiting up to 60 s for it to come back.", "The cluster answers again."], said);
    }

    [Fact]
    public async Task Read_FromALaterNumber_AsksForThatOneAgainUntilItHasCome()
    {
        Outage outage = new(TimeSpan.FromMinutes(1), said.Add, new HurriedTime());
        Assert.Equal([7L, 8], await ReadAsync(outage, 7, Lines().Then(StatusCode.Unavailable), Lines(7, 8)));
        Assert.Equal([7L, 7], opened);
    }

    [Fact]
    public async Task Read_ClusterStaysAway_EndsAfterTheMinute()
    {
        HurriedTime time = new();
        var attempts = Enumerable.Repeat(Lines().Then(StatusCode.Unavailable), 1000).ToArray();
        var lost = await Assert.ThrowsAsync<RpcException>(() => ReadAsync(new Outage(TimeSpan.FromMinutes(1), said.Add, time), attempts));
        Assert.Equal(StatusCode.Unavailable, lost.StatusCode);
        // Every half second for a minute.
        Assert.Equal(121, opened.Count);
        Assert.Single(said);
    }

    [Fact]
    public async Task Read_NotWaitedFor_EndsAtTheFirstLoss()
    {
        await Assert.ThrowsAsync<RpcException>(
            () => ReadAsync(Outage.NotWaitedFor(new HurriedTime()), Lines(0).Then(StatusCode.Unavailable)));
        Assert.Single(opened);
    }

    [Theory]
    [InlineData(StatusCode.NotFound)]
    [InlineData(StatusCode.Unauthenticated)]
    [InlineData(StatusCode.PermissionDenied)]
    public async Task Read_Refused_EndsAtOnce(StatusCode code)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => ReadAsync(new Outage(TimeSpan.FromMinutes(1), said.Add, new HurriedTime()), Lines(0).Then(code)));
        Assert.Equal(code, refused.StatusCode);
        Assert.Empty(said);
    }

    [Fact]
    public async Task Outage_StreamThatHeldForLong_BeginsThePatienceAnew()
    {
        HurriedTime time = new();
        Outage outage = new(TimeSpan.FromMinutes(1), said.Add, time);
        Assert.True(outage.MayWait(taken: false));
        for (var quiet = 0; quiet < 3; quiet++)
        {
            outage.BeginAttempt();
            await Task.Delay(TimeSpan.FromSeconds(50), time);
            Assert.True(outage.MayWait(taken: true));
        }

        outage.BeginAttempt();
        await Task.Delay(TimeSpan.FromSeconds(61), time);
        Assert.False(outage.MayWait(taken: false));
    }

    private static Answer Lines(params long[] numbers) => new(numbers, null);

    private Task<List<long>> ReadAsync(Outage outage, params Answer[] answers) => ReadAsync(outage, 0, answers);

    private async Task<List<long>> ReadAsync(Outage outage, long first, params Answer[] answers)
    {
        List<long> read = [];
        var next = 0;
        await foreach (var line in EventStream.ReadAsync(Open, line => line.Number, outage, CancellationToken.None, first))
            read.Add(line.Number);
        return read;

        AsyncServerStreamingCall<JobEvent> Open(long from)
        {
            opened.Add(from);
            return new(new Reader(answers[next++]), Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });
        }
    }

    /// <summary>What one connection brings, and how it ends.</summary>
    private sealed record Answer(long[] Numbers, StatusCode? End)
    {
        public Answer Then(StatusCode end) => this with { End = end };
    }

    private sealed class Reader(Answer answer) : IAsyncStreamReader<JobEvent>
    {
        private int at = -1;

        public JobEvent Current => new() { Number = answer.Numbers[at] };

        public Task<bool> MoveNext(CancellationToken cancellationToken) =>
            ++at < answer.Numbers.Length
                ? Task.FromResult(true)
                : answer.End is { } end ? throw new RpcException(new Status(end, ""))
                : Task.FromResult(false);
    }
}
