using System.Collections.Concurrent;

namespace Distributed.Silo.Hosting;

/// <summary>
/// Orleans' clock, whose timers cost an idle silo little: they fire together, none later than by its own time or half a second.
/// </summary>
/// <remarks>
/// Waking threads that slept is most of what an idle silo does, and a timer of .NET wakes several: its own, which fires it and is told of
/// the next, and workers of the pool. Here one thread looks at all timers, twice per second as a rule. Orleans looks ten times per second
/// whether the pool still runs what is due (<c>ThreadPoolStallDetector</c>). Such a fast timer is caught up at each look, once for each of
/// its times that has passed, with that time on the clock; while nothing waits for the pool, on this thread. A stall of the pool holds it
/// up as it would a timer of the pool.
/// </remarks>
internal sealed class FrugalClock : TimeProvider, IDisposable
{
    /// <summary>The one of this process.</summary>
    public static FrugalClock Shared { get; } = new();

    /// <summary>What the callback that this thread runs sees as now; 0: the real time.</summary>
    [ThreadStatic]
    private static long past;

    private readonly TimeProvider time;
    private readonly Func<long> waiting;
    private readonly Action<Action> queue;

    /// <summary>Half a second.</summary>
    private readonly long grain;
    private readonly object gate = new();
    private readonly HashSet<CoarseTimer> timers = [];
    private readonly ConcurrentQueue<CoarseTimer> ready = new();
    private long wakeAt = long.MaxValue;
    private bool ended;
    private Action? callReady;

    public FrugalClock()
        : this(TimeProvider.System, static () => ThreadPool.PendingWorkItemCount, static call => ThreadPool.UnsafeQueueUserWorkItem(
            static call => call(), call, preferLocal: false)) =>
        new Thread(Run) { IsBackground = true, Name = "orleans clock" }.Start();

    /// <summary>A clock that has no thread: its maker calls <see cref="Look"/>.</summary>
    /// <param name="waiting">How many calls wait for the pool.</param>
    /// <param name="queue">Gives the pool a call.</param>
    internal FrugalClock(TimeProvider time, Func<long> waiting, Action<Action> queue)
    {
        (this.time, this.waiting, this.queue) = (time, waiting, queue);
        grain = time.TimestampFrequency / 2;
    }

    public override long TimestampFrequency => time.TimestampFrequency;

    public override long GetTimestamp() => past != 0 ? past : time.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new CoarseTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>No timer fires any more.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            ended = true;
            Monitor.Pulse(gate);
        }
    }

    private void Run()
    {
        while (true)
        {
            lock (gate)
            {
                // Rounded up: what is left of a millisecond would be spun away.
                var sleep = wakeAt == long.MaxValue
                    ? Timeout.Infinite
                    : (int)Math.Ceiling(Math.Max(0, (wakeAt - time.GetTimestamp()) * 1e3 / time.TimestampFrequency));
                if (!ended && sleep != 0) Monitor.Wait(gate, sleep);
                if (ended) return;
            }

            Look();
        }
    }

    /// <summary>Fires all timers that are due.</summary>
    /// <returns>The time of the next look; <see cref="long.MaxValue"/>: none.</returns>
    internal long Look()
    {
        List<(CoarseTimer Timer, long From, long Until)> due = [];
        lock (gate)
        {
            (var now, wakeAt) = (time.GetTimestamp(), long.MaxValue);
            foreach (var timer in timers)
            {
                if (timer.FiresAt <= now)
                {
                    var until = timer.FiresAt;
                    due.Add((timer, timer.Advance(now), until));
                }

                wakeAt = Math.Min(wakeAt, timer.FiresAt);
            }

            timers.RemoveWhere(t => t.FiresAt == long.MaxValue);
        }

        foreach (var (timer, from, until) in due) timer.Fire(from, until);
        // One worker wakes for all. A callback that blocks holds up the others that are due, until the next look, when a
        // second worker comes.
        if (!ready.IsEmpty) queue(callReady ??= CallReady);
        lock (gate) return wakeAt;
    }

    private void CallReady()
    {
        while (ready.TryDequeue(out var timer)) timer.Call();
    }

    private sealed class CoarseTimer(FrugalClock clock, TimerCallback callback, object? state) : ITimer
    {
        private readonly ExecutionContext? context = ExecutionContext.Capture();
        private readonly ContextCallback run = _ => callback(state);
        private long due = long.MaxValue;
        private long period;
        private long seen;
        private volatile bool waitsForPool;
        private volatile bool disposed;

        /// <summary>
        /// The look at which it is next; <see cref="long.MaxValue"/>: none. Guarded by the clock's gate, as is all that leads to it.
        /// </summary>
        public long FiresAt { get; private set; } = long.MaxValue;

        private bool IsFast => period > 0 && period < clock.grain;

        public bool Change(TimeSpan dueTime, TimeSpan newPeriod)
        {
            var now = clock.time.GetTimestamp();
            lock (clock.gate)
            {
                if (disposed) return false;
                period = newPeriod == Timeout.InfiniteTimeSpan ? 0 : Ticks(newPeriod);
                due = dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : now + Ticks(dueTime);
                Schedule(due == long.MaxValue ? 0 : due - now);
                if (due == long.MaxValue) clock.timers.Remove(this);
                else clock.timers.Add(this);
                if (FiresAt >= clock.wakeAt) return true;
                clock.wakeAt = FiresAt;
                Monitor.Pulse(clock.gate);
                return true;
            }
        }

        /// <summary>What is queued and has not begun does not begin any more; what runs is not waited for.</summary>
        public void Dispose()
        {
            lock (clock.gate)
            {
                Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                disposed = true;
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        /// <summary>Goes on to the first time after <paramref name="now"/>.</summary>
        /// <returns>The time that it was due.</returns>
        public long Advance(long now)
        {
            var was = due;
            due = period == 0 ? long.MaxValue : due + (((now - due) / period) + 1) * period;
            Schedule(period);
            return was;
        }

        /// <param name="from">The first of its times since it fired.</param>
        /// <param name="until">The look that was meant: when that comes late, the process stood still.</param>
        public void Fire(long from, long until)
        {
            if (!IsFast)
            {
                clock.ready.Enqueue(this);
                return;
            }

            if (waitsForPool) return;
            if (clock.waiting() == 0)
            {
                CatchUp(from, until);
                return;
            }

            waitsForPool = true;
            clock.queue(() => CatchUpFromPool(from, until));
        }

        private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * clock.time.TimestampFrequency);

        private void Schedule(long delay)
        {
            var step = clock.grain;
            while (step > delay && step > clock.grain / 64 && !IsFast) step /= 2;
            FiresAt = due == long.MaxValue ? due : (due + step - 1) / step * step;
        }

        private void CatchUp(long from, long until)
        {
            try
            {
                // Zero after the timer was disposed.
                for (past = from; past <= until && period is > 0 and var step; past += step)
                    if (past > seen) Call();
            }
            finally
            {
                past = 0;
            }

            seen = until;
            var now = clock.time.GetTimestamp();
            if (now - until <= period) return;
            Call();
            seen = now;
        }

        private void CatchUpFromPool(long from, long until)
        {
            CatchUp(from, until);
            waitsForPool = false;
        }

        public void Call()
        {
            if (disposed) return;
            if (context is null) callback(state);
            else ExecutionContext.Run(context, run, null);
        }
    }
}
