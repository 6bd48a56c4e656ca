using System.Collections.Immutable;
using Distributed.Grains.Contracts;
using Distributed.Silo.Gateway;

namespace Distributed.Silo.Tests;

public sealed class EventRelayTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Follow_ThousandStreams_ShareOnePollAndMissNothing()
    {
        Source source = new();
        source.Append(300);
        EventRelay relay = new(TimeProvider.System);
        var streams = Enumerable.Range(0, 1000).Select(i => Collect(relay, source, from: i % 300)).ToArray();
        await source.Polled.WaitAsync(Soon);
        for (var batch = 0; batch < 20; batch++)
        {
            source.Append(50);
            await Task.Yield();
        }

        source.End();
        var seen = await Task.WhenAll(streams).WaitAsync(Soon);
        for (var i = 0; i < seen.Length; i++) Assert.Equal(Enumerable.Range(i % 300, 1300 - i % 300).Select(n => (long)n), seen[i]);
        Assert.Equal(1, source.MostWaiting);
    }

    [Fact]
    public async Task Read_SlowStream_ReadsWhatIsNoLongerKeptFromTheSource()
    {
        Source source = new();
        EventRelay relay = new(TimeProvider.System);
        using var slow = relay.Follow("job", source.Read);
        using var quick = relay.Follow("job", source.Read);
        var first = slow.Read(0, CancellationToken.None);
        await source.Polled.WaitAsync(Soon);
        var next = 0L;
        for (var batch = 0; batch < 100; batch++)
        {
            source.Append(100);
            while (next < (batch + 1) * 100) next = (await quick.Read(next, CancellationToken.None).WaitAsync(Soon))!.Events[^1].Number + 1;
        }

        source.End();
        List<long> seen = [.. (await first.WaitAsync(Soon))!.Events.Select(line => line.Number)];
        seen.AddRange(await Rest(slow, seen[^1] + 1));
        Assert.Equal(Enumerable.Range(0, 10_000).Select(n => (long)n), seen);
    }

    [Fact]
    public async Task Read_NumberFarAhead_DoesNotHoldTheOthersUp()
    {
        Source source = new();
        source.Append(3);
        EventRelay relay = new(TimeProvider.System);
        using var ahead = relay.Follow("job", source.Read);
        using var cancel = new CancellationTokenSource();
        var never = ahead.Read(1_000_000, cancel.Token);
        await source.Polled.WaitAsync(Soon);
        var stream = Collect(relay, source, from: 0);
        source.Append(2);
        source.End();
        Assert.Equal([0L, 1, 2, 3, 4], await stream.WaitAsync(Soon));
        var last = (await never.WaitAsync(Soon))!;
        // Its own poll may have ended between the new lines and the end, with an empty page.
        if (!last.Final) last = (await ahead.Read(1_000_000, cancel.Token).WaitAsync(Soon))!;
        Assert.True(last.Final);
    }

    [Fact]
    public async Task Read_LaterStreamAtTheEnd_JoinsThePollThatRuns()
    {
        Source source = new();
        source.Append(5);
        EventRelay relay = new(TimeProvider.System);
        var one = Collect(relay, source, from: 0);
        await source.Polled.WaitAsync(Soon);
        var other = Collect(relay, source, from: 5);
        source.Append(1);
        source.End();
        Assert.Equal([5L], await other.WaitAsync(Soon));
        Assert.Equal(6, (await one.WaitAsync(Soon)).Count);
        Assert.Equal(1, source.MostWaiting);
    }

    [Fact]
    public async Task Read_NoSuchJob_IsNull()
    {
        EventRelay relay = new(TimeProvider.System);
        using var reader = relay.Follow("job", (_, _, _) => Task.FromResult<EventPage?>(null));
        Assert.Null(await reader.Read(0, CancellationToken.None));
    }

    [Fact]
    public async Task Read_JobIsForgottenWhileWaiting_IsNull()
    {
        Source source = new();
        EventRelay relay = new(TimeProvider.System);
        using var reader = relay.Follow("job", source.Read);
        var page = reader.Read(0, CancellationToken.None);
        await source.Polled.WaitAsync(Soon);
        source.Forget();
        Assert.Null(await page.WaitAsync(Soon));
    }

    [Fact]
    public async Task Read_PollFails_AllStreamsFailAndTheNextOneBeginsAnew()
    {
        Source source = new();
        EventRelay relay = new(TimeProvider.System);
        using var one = relay.Follow("job", source.Read);
        using var other = relay.Follow("job", source.Read);
        var pages = new[] { one.Read(0, CancellationToken.None), other.Read(0, CancellationToken.None) };
        await source.Polled.WaitAsync(Soon);
        source.Fail(new TimeoutException("no answer"));
        foreach (var page in pages) await Assert.ThrowsAsync<TimeoutException>(() => page.WaitAsync(Soon));
        source.Append(1);
        source.End();
        Assert.Equal([0L], await Collect(relay, source, from: 0).WaitAsync(Soon));
    }

    [Fact]
    public async Task Read_AfterTheEnd_AResumedJobGoesOn()
    {
        Source source = new();
        EventRelay relay = new(TimeProvider.System);
        source.Append(2);
        source.End();
        Assert.Equal([0L, 1], await Collect(relay, source, from: 0).WaitAsync(Soon));
        source.Reopen();
        source.Append(1);
        source.End();
        Assert.Equal([2L], await Collect(relay, source, from: 2).WaitAsync(Soon));
    }

    [Fact]
    public async Task Read_SourceThatGivesEmptyPagesAtOnce_IsAskedAgainAfterAPause()
    {
        SteppedTime time = new();
        var polls = 0;
        EventRelay relay = new(time);
        using var reader = relay.Follow("job", (_, _, wait) =>
        {
            if (wait > TimeSpan.Zero) polls++;
            return Task.FromResult<EventPage?>(new EventPage([], polls == 3));
        });
        var page = reader.Read(0, CancellationToken.None);
        for (var asked = 1; asked < 3; asked++)
        {
            await time.Waited().WaitAsync(Soon);
            Assert.Equal(asked, polls);
            time.Advance(TimeSpan.FromMilliseconds(200));
        }

        Assert.True((await page.WaitAsync(Soon))!.Final);
    }

    [Fact]
    public async Task Dispose_LastStream_EndsThePoll()
    {
        Source source = new();
        EventRelay relay = new(TimeProvider.System);
        using var cancel = new CancellationTokenSource();
        var reader = relay.Follow("job", source.Read);
        var page = reader.Read(0, cancel.Token);
        await source.Polled.WaitAsync(Soon);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => page);
        reader.Dispose();
        var reads = source.Reads;
        source.Append(1);
        Assert.Equal(reads, source.Reads);
    }

    private static async Task<List<long>> Collect(EventRelay relay, Source source, long from)
    {
        using var reader = relay.Follow("job", source.Read);
        return await Rest(reader, from);
    }

    private static async Task<List<long>> Rest(EventRelay.Reader reader, long next)
    {
        List<long> seen = [];
        while (true)
        {
            var page = (await reader.Read(next, CancellationToken.None))!;
            seen.AddRange(page.Events.Select(line => line.Number));
            if (seen.Count > 0) next = seen[^1] + 1;
            if (page.Final) return seen;
        }
    }

    /// <summary>A job's log as its grain gives it out.</summary>
    private sealed class Source
    {
        private readonly Lock gate = new();
        private readonly List<string> lines = [];
        private readonly TaskCompletionSource polled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool ended;
        private bool forgotten;
        private int waiting;

        public Task Polled => polled.Task;

        public int MostWaiting { get; private set; }

        public int Reads { get; private set; }

        public async Task<EventPage?> Read(long from, int max, TimeSpan wait)
        {
            Task? change;
            lock (gate)
            {
                Reads++;
                change = wait > TimeSpan.Zero && from >= lines.Count && !ended ? news.Task : null;
                if (change is not null) MostWaiting = Math.Max(MostWaiting, ++waiting);
            }

            if (change is not null)
            {
                polled.TrySetResult();
                try
                {
                    await change;
                }
                finally
                {
                    lock (gate) waiting--;
                }
            }

            await Task.Yield();
            lock (gate)
            {
                if (forgotten) return null;
                var start = (int)Math.Min(from, lines.Count);
                ImmutableArray<NumberedEvent> page =
                    [.. lines.Skip(start).Take(max).Select((line, i) => new NumberedEvent(start + i, line))];
                return new EventPage(page, ended && start + page.Length == lines.Count);
            }
        }

        public void Append(int count)
        {
            lock (gate) lines.AddRange(Enumerable.Repeat("{}", count));
            Tell(null);
        }

        public void End()
        {
            lock (gate) ended = true;
            Tell(null);
        }

        public void Reopen() => ended = false;

        public void Forget()
        {
            lock (gate) forgotten = true;
            Tell(null);
        }

        public void Fail(Exception error) => Tell(error);

        private void Tell(Exception? error)
        {
            lock (gate)
            {
                var before = news;
                news = new(TaskCreationOptions.RunContinuationsAsynchronously);
                if (error is null) before.SetResult();
                else before.SetException(error);
            }
        }
    }
}
