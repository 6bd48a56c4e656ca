namespace Distributed.Silo.Tests;

/// <summary>A clock that stands still until it is moved; what waits for a time that has come goes on then.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<Wait> waits = [];
    private long ticks;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref ticks);

    /// <summary>Completes when somebody waits.</summary>
    public async Task Waited()
    {
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (waits.Count > 0) return;
                next = changed.Task;
            }

            await next;
        }
    }

    public void Advance(TimeSpan by)
    {
        List<Wait> due;
        lock (gate)
        {
            ticks += by.Ticks;
            due = [.. waits.Where(wait => wait.Due <= ticks)];
            waits.RemoveAll(due.Contains);
        }

        due.ForEach(wait => wait.Callback());
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Wait wait = new(this, () => callback(state));
        wait.Change(dueTime, period);
        return wait;
    }

    private sealed class Wait(SteppedTime time, Action callback) : ITimer
    {
        public Action Callback => callback;

        public long Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime == Timeout.InfiniteTimeSpan) return true;
            TaskCompletionSource before;
            lock (time.gate)
            {
                Due = time.ticks + dueTime.Ticks;
                time.waits.Add(this);
                (before, time.changed) = (time.changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            before.SetResult();
            return true;
        }

        public void Dispose()
        {
            lock (time.gate) time.waits.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
