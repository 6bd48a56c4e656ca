using Distributed.Silo.Hosting;

namespace Distributed.Silo.Tests.Serve;

/// <summary>
/// Most of it on a clock that the test moves; that the thread really looks is shown at the end, without counting how long it takes.
/// </summary>
public sealed class FrugalClockTests : IDisposable
{
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Grain = TimeSpan.FromSeconds(0.5);

    /// <summary>Ends a hang, nothing else.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly HandTime time = new();
    private readonly Queue<Action> pool = new();
    private readonly FrugalClock clock;
    private long waiting;

    public FrugalClockTests() => clock = new FrugalClock(time, () => waiting, pool.Enqueue);

    public void Dispose() => clock.Dispose();

    [Theory]
    [InlineData(20)]
    [InlineData(300)]
    [InlineData(1200)]
    public void Timer_Once_FiresOnceNotTooSoonAndAtMostHalfASecondLate(int milliseconds)
    {
        List<TimeSpan> fired = [];
        var begin = time.Now;
        using var timer = clock.CreateTimer(
            _ => fired.Add(time.Now - begin), null, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
        Pass(TimeSpan.FromSeconds(5));
        Assert.InRange(Assert.Single(fired).TotalMilliseconds, milliseconds, milliseconds + Grain.TotalMilliseconds);
    }

    [Fact]
    public void Timers_OfTheSameHalfSecond_FireInOneLook()
    {
        List<TimeSpan> fired = [];
        using var first = clock.CreateTimer(_ => fired.Add(time.Now), null, TimeSpan.FromSeconds(1.3), Timeout.InfiniteTimeSpan);
        using var second = clock.CreateTimer(_ => fired.Add(time.Now), null, TimeSpan.FromSeconds(1.6), Timeout.InfiniteTimeSpan);
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal([fired[0], fired[0]], fired);
    }

    [Fact]
    public void Timer_ChangedToSooner_FiresSooner()
    {
        var fired = 0;
        using var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        timer.Change(TimeSpan.FromMilliseconds(10), Timeout.InfiniteTimeSpan);
        Pass(TimeSpan.FromSeconds(1));
        Assert.Equal(1, fired);
    }

    [Fact]
    public void Timer_Disposed_FiresNoMore()
    {
        var fired = 0;
        var timer = clock.CreateTimer(_ => fired++, null, TimeSpan.FromMilliseconds(600), TimeSpan.FromMilliseconds(600));
        Pass(TimeSpan.FromSeconds(1.5));
        Assert.Equal(2, fired);
        // Due, and with the pool, but not begun.
        time.Now += TimeSpan.FromSeconds(1);
        clock.Look();
        Assert.Single(pool);
        timer.Dispose();
        pool.Dequeue()();
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(2, fired);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
    }

    [Fact]
    public void FastTimer_PoolFree_SeesEachOfItsTimes()
    {
        var (begin, seen) = (time.Now, new List<TimeSpan>());
        using var timer = clock.CreateTimer(_ => seen.Add(Seen()), null, Fast, Fast);
        var looks = Pass(TimeSpan.FromSeconds(3));
        // What came after the last look is seen at the next.
        Assert.InRange(seen.Count, 25, 30);
        Assert.Equal(Enumerable.Range(1, seen.Count).Select(i => begin + (i * Fast)), seen);
        Assert.InRange(looks, 1, 7);
    }

    [Fact]
    public void FastTimer_ClockItselfHeldUp_SeesTheGap()
    {
        List<TimeSpan> seen = [];
        using var timer = clock.CreateTimer(_ => seen.Add(Seen()), null, Fast, Fast);
        Pass(TimeSpan.FromSeconds(2));
        // The look that is due comes a second and a half late.
        time.Now += TimeSpan.FromSeconds(1.5);
        Pass(TimeSpan.FromSeconds(2));
        var gaps = seen.Zip(seen.Skip(1), (a, b) => b - a).ToList();
        Assert.True(gaps.Max() >= TimeSpan.FromSeconds(1), $"The longest gap is {gaps.Max()}.");
        Assert.All(gaps, gap => Assert.True(gap > TimeSpan.Zero));
    }

    [Fact]
    public void FastTimer_PoolStalls_SeesTheStall()
    {
        List<TimeSpan> seen = [];
        using var timer = clock.CreateTimer(_ => seen.Add(Seen()), null, Fast, Fast);
        Pass(TimeSpan.FromSeconds(1));
        waiting = 400;
        Pass(TimeSpan.FromSeconds(2.5), poolRuns: false);
        // Asked once, not at each look.
        Assert.Single(pool);
        waiting = 0;
        Pass(TimeSpan.FromSeconds(1));
        var gaps = seen.Zip(seen.Skip(1), (a, b) => b - a).ToList();
        Assert.True(gaps.Max() > TimeSpan.FromSeconds(1), $"The longest gap is {gaps.Max()}.");
        Assert.All(gaps, gap => Assert.True(gap > TimeSpan.Zero));
    }

    [Fact]
    public async Task Thread_LooksByItself()
    {
        using FrugalClock running = new();
        var fired = new SemaphoreSlim(0);
        using var far = running.CreateTimer(_ => { }, null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
        using var timer = running.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < 3; i++) Assert.True(await fired.WaitAsync(Patience));
        await Assert.ThrowsAsync<TaskCanceledException>(
            () => Task.Delay(TimeSpan.FromHours(1), running, new CancellationTokenSource(TimeSpan.FromMilliseconds(50), running).Token)
                .WaitAsync(Patience));
    }

    /// <summary>What a callback reads from the clock.</summary>
    private TimeSpan Seen() => TimeSpan.FromTicks(clock.GetTimestamp());

    /// <summary>Lets time pass, with the looks that the clock asks for.</summary>
    /// <returns>How many looks.</returns>
    private int Pass(TimeSpan span, bool poolRuns = true)
    {
        var (end, looks) = (time.Now + span, 0);
        for (var next = clock.Look(); ; next = clock.Look(), looks++)
        {
            while (poolRuns && pool.TryDequeue(out var call)) call();
            if (next > end.Ticks)
            {
                time.Now = end;
                return looks;
            }
            time.Now = TimeSpan.FromTicks(Math.Max(next, time.Now.Ticks));
        }
    }

    private sealed class HandTime : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(1000.3);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
