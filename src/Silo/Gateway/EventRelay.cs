using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Distributed.Grains.Contracts;

namespace Distributed.Silo.Gateway;

/// <summary>Reads a job's numbered lines, as <see cref="IJobGrain.ReadEvents"/> does.</summary>
internal delegate Task<EventPage?> PageRead(long from, int max, TimeSpan wait);

/// <summary>What the streams of this silo share: one long poll for each job that somebody follows, however many do.</summary>
/// <remarks>
/// Nothing is queued for a stream: each asks for its next page. The last lines are kept for those who keep up; a slow one reads
/// from the grain again.
/// </remarks>
internal sealed class EventRelay(TimeProvider time)
{
    public const int PageSize = 512;
    private const int MostKept = 2048;
    private const long MostKeptCharacters = 4L << 20;
    private static readonly TimeSpan LongPoll = TimeSpan.FromSeconds(10);

    /// <summary>An empty page that comes sooner is no end of a long poll: the grain's silo stops.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan EarlyPause = TimeSpan.FromMilliseconds(200);

    private readonly TimeProvider time = time;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Shared> watched = [];

    /// <summary>Follows one sequence of lines; dispose it when its stream ends.</summary>
    /// <param name="key">Names the sequence; readers of one key share a poll.</param>
    public Reader Follow(string key, PageRead read)
    {
        lock (gate)
        {
            if (!watched.TryGetValue(key, out var shared)) watched[key] = shared = new Shared(this, key, read);
            shared.Readers++;
            return new Reader(shared);
        }
    }

    /// <summary>One stream's place in the lines.</summary>
    internal sealed class Reader(Shared shared) : IDisposable
    {
        /// <summary>The number that the last page ended before: a line before it exists, so waiting for it is waiting for news.</summary>
        private long proven;

        /// <summary>The next lines from a number on; waits for them.</summary>
        /// <returns>An empty page now and then while nothing happens; null when there is no such job.</returns>
        public async Task<EventPage?> Read(long from, CancellationToken cancel)
        {
            while (true)
            {
                var (page, news) = shared.Take(from);
                if (page is null && news is null) (page, news) = await CatchUp(from, cancel);
                if (news is null)
                {
                    if (page is { Events: [.., var last] }) proven = last.Number + 1;
                    return page;
                }

                await news.WaitAsync(cancel);
            }
        }

        /// <returns>Lines that the grain has already, or a wait for those that the shared poll will bring.</returns>
        private async Task<(EventPage? Page, Task? News)> CatchUp(long from, CancellationToken cancel)
        {
            var page = await shared.Read(from, PageSize, TimeSpan.Zero).WaitAsync(cancel);
            if (page is not { Events.Length: 0, Final: false }) return (page, null);
            if (await IsProven(from, cancel) && shared.Join(from) is { } news) return (null, news);
            return (await shared.Wait(from, cancel), null);
        }

        /// <summary>A client may name any number; one far ahead must not become the place where all wait.</summary>
        private async Task<bool> IsProven(long from, CancellationToken cancel) =>
            from == proven || (from > 0 && await shared.Read(from - 1, 1, TimeSpan.Zero).WaitAsync(cancel) is { Events: [var before] }
                && before.Number == from - 1);

        public void Dispose() => shared.Leave();
    }

    /// <summary>The last lines of one sequence and the poll that brings more, while somebody follows it.</summary>
    internal sealed class Shared : IDisposable
    {
        private readonly EventRelay relay;
        private readonly string key;
        private readonly PageRead read;
        private readonly Queue<(long From, ImmutableArray<NumberedEvent> Lines)> kept = new();
        private readonly CancellationTokenSource left = new();
        private readonly CancellationToken whenLeft;
        private TaskCompletionSource news = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int keptLines;
        private long keptCharacters;
        private bool polls;
        private long tip;
        private bool gone;
        private bool final;
        private ExceptionDispatchInfo? failure;

        public Shared(EventRelay relay, string key, PageRead read)
        {
            (this.relay, this.key, this.read) = (relay, key, read);
            whenLeft = left.Token;
        }

        public int Readers { get; set; }

        public Task<EventPage?> Read(long from, int max, TimeSpan wait) => read(from, max, wait);

        /// <summary>
        /// A long poll. What comes back empty and early is held back for a moment, because the caller asks again at once.
        /// </summary>
        public async Task<EventPage?> Wait(long from, CancellationToken cancel)
        {
            var asked = relay.time.GetTimestamp();
            var page = await read(from, PageSize, LongPoll).WaitAsync(cancel);
            if (page is { Events.Length: 0, Final: false } && relay.time.GetElapsedTime(asked) < Early)
                await Task.Delay(EarlyPause, relay.time, cancel);
            return page;
        }

        /// <returns>
        /// A page, or what to wait for before asking again, or neither: the lines are no longer kept, or not followed yet.
        /// </returns>
        public (EventPage? Page, Task? News) Take(long from)
        {
            lock (relay.gate)
            {
                failure?.Throw();
                if (!polls) return (null, null);
                if (from >= tip) return gone || final ? (Ended(), null) : from == tip ? (null, news.Task) : (null, null);
                foreach (var (start, lines) in kept)
                {
                    if (from < start) break;
                    if (from > lines[^1].Number) continue;
                    var isLast = lines[^1].Number + 1 == tip;
                    return (new EventPage(Rest(lines, from), final && isLast), null);
                }

                return (null, null);
            }
        }

        /// <summary>Lets the poll begin where a reader stands, if it has not begun yet.</summary>
        /// <returns>What to wait for; null when the poll is elsewhere.</returns>
        public Task? Join(long from)
        {
            lock (relay.gate)
            {
                if (!polls)
                {
                    (polls, tip) = (true, from);
                    _ = Task.Run(Poll);
                }

                return from >= tip ? news.Task : null;
            }
        }

        public void Leave()
        {
            lock (relay.gate)
            {
                if (--Readers > 0) return;
                Forget();
            }

            Dispose();
        }

        /// <summary>Ends the poll.</summary>
        public void Dispose()
        {
            left.Cancel();
            left.Dispose();
        }

        private async Task Poll()
        {
            try
            {
                while (Publish(await Wait(tip, whenLeft)))
                {
                }
            }
#pragma warning disable CA1031 // Whatever the grain's call threw, the streams that wait for it throw it on.
            catch (Exception e)
#pragma warning restore CA1031
            {
                End(() => failure = ExceptionDispatchInfo.Capture(e));
            }
        }

        /// <returns>Whether more may come.</returns>
        private bool Publish(EventPage? page)
        {
            if (page is null)
            {
                End(() => gone = true);
                return false;
            }

            lock (relay.gate)
            {
                if (page.Events.Length > 0) Keep(page.Events);
                if (page.Events.Length > 0 && !page.Final) Tell();
            }

            if (page.Final) End(() => final = true);
            return !page.Final;
        }

        private void Keep(ImmutableArray<NumberedEvent> lines)
        {
            kept.Enqueue((tip, lines));
            tip = lines[^1].Number + 1;
            keptLines += lines.Length;
            keptCharacters += Characters(lines);
            while (kept.Count > 1 && (keptLines > MostKept || keptCharacters > MostKeptCharacters))
            {
                var (_, oldest) = kept.Dequeue();
                keptLines -= oldest.Length;
                keptCharacters -= Characters(oldest);
            }
        }

        private void End(Action how)
        {
            lock (relay.gate)
            {
                how();
                Forget();
                Tell();
            }
        }

        /// <summary>A client that follows the job from now on begins anew; it may have been resumed.</summary>
        private void Forget()
        {
            if (relay.watched.GetValueOrDefault(key) == this) relay.watched.Remove(key);
        }

        private void Tell()
        {
            news.TrySetResult();
            news = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        private EventPage? Ended() => gone ? null : new EventPage([], true);

        private static ImmutableArray<NumberedEvent> Rest(ImmutableArray<NumberedEvent> lines, long from)
        {
            var skip = 0;
            while (lines[skip].Number < from) skip++;
            return skip == 0 ? lines : lines[skip..];
        }

        private static long Characters(ImmutableArray<NumberedEvent> lines) => lines.Sum(line => (long)line.Json.Length);
    }
}
