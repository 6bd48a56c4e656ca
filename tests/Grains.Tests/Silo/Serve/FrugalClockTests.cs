using System.Collections.Concurrent;
using Distributed.Silo.Serve;

namespace Distributed.Grains.Tests.Silo.Serve;

[Collection(nameof(TimedAlone))]
public sealed class FrugalClockTests : IDisposable
{
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(5);
    private readonly FrugalClock clock = new();

    public void Dispose() => clock.Dispose();

    [Theory]
    [InlineData(20)]
    [InlineData(300)]
    [InlineData(1200)]
    public async Task Timer_Once_FiresOnceAndNotTooSoon(int milliseconds)
    {
        var fired = new SemaphoreSlim(0);
        var begin = clock.GetTimestamp();
        using var timer = clock.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
        Assert.True(await fired.WaitAsync(Slack));
        Assert.True(clock.GetElapsedTime(begin).TotalMilliseconds >= milliseconds);
        Assert.False(await fired.WaitAsync(TimeSpan.FromMilliseconds(700)));
    }

    [Fact]
    public async Task Timer_ChangedToSooner_FiresSooner()
    {
        var fired = new SemaphoreSlim(0);
        using var timer = clock.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMinutes(1), Timeout.InfiniteTimeSpan);
        timer.Change(TimeSpan.FromMilliseconds(10), Timeout.InfiniteTimeSpan);
        Assert.True(await fired.WaitAsync(Slack));
    }

    [Fact]
    public async Task Timer_Disposed_FiresNoMore()
    {
        var fired = new SemaphoreSlim(0);
        var timer = clock.CreateTimer(_ => fired.Release(), null, TimeSpan.FromMilliseconds(600), TimeSpan.FromMilliseconds(600));
        Assert.True(await fired.WaitAsync(Slack));
        await timer.DisposeAsync();
        // One may be under way, and this test itself may have been held up since the first.
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System);
        while (fired.Wait(0)) { }
        Assert.False(await fired.WaitAsync(TimeSpan.FromSeconds(1.5)));
    }

    [Fact]
    public async Task Delay_Cancelled_Ends() =>
        await Assert.ThrowsAsync<TaskCanceledException>(() => Task.Delay(TimeSpan.FromMinutes(1), clock, new CancellationTokenSource(TimeSpan.FromMilliseconds(50), clock).Token).WaitAsync(Slack));

    [Fact]
    public async Task FastTimer_PoolFree_SeesEachOfItsTimes()
    {
        var seen = new ConcurrentQueue<long>();
        var begin = clock.GetTimestamp();
        using (clock.CreateTimer(_ => seen.Enqueue(clock.GetTimestamp()), null, Fast, Fast)) await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        var times = seen.Select(t => clock.GetElapsedTime(begin, t).TotalMilliseconds).ToList();
        Assert.InRange(times.Count, 20, clock.GetElapsedTime(begin) / Fast);
        // Other tests may keep the pool busy for a moment, and a time is then seen later.
        Assert.True(times.Zip(times.Skip(1), (a, b) => b - a).Count(gap => Math.Abs(gap - Fast.TotalMilliseconds) < 1) > times.Count / 2, string.Join(' ', times));
    }

    [Fact]
    public async Task FastTimer_ClockItselfHeldUp_SeesTheGap()
    {
        var seen = new ConcurrentQueue<long>();
        using var never = new ManualResetEventSlim();
        var holds = 1;
        using (clock.CreateTimer(_ => seen.Enqueue(clock.GetTimestamp()), null, Fast, Fast))
        using (clock.CreateTimer(_ => Hold(), null, Fast, Fast)) await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System);
        var gaps = seen.Zip(seen.Skip(1), (a, b) => clock.GetElapsedTime(a, b)).ToList();
        Assert.True(gaps.Max() > TimeSpan.FromSeconds(0.8), $"The longest gap is {gaps.Max()}.");

        // While something waits for the pool the clock calls through it, which would hold up a worker and not the clock.
        void Hold()
        {
            if (Thread.CurrentThread.Name == "orleans clock") never.Wait(Interlocked.Exchange(ref holds, 0) * 1500);
        }
    }

    [Fact]
    public async Task FastTimer_PoolStalls_SeesTheStall()
    {
        var seen = new ConcurrentQueue<long>();
        using var release = new ManualResetEventSlim();
        using (clock.CreateTimer(_ => seen.Enqueue(clock.GetTimestamp()), null, Fast, Fast))
        {
            await Task.Run(() =>
            {
                // More than the pool will make threads for meanwhile.
                for (var i = 0; i < 400; i++) ThreadPool.QueueUserWorkItem(_ => release.Wait());
                Assert.False(release.Wait(TimeSpan.FromSeconds(2.5)));
                release.Set();
            });
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System);
        }

        var gaps = seen.Zip(seen.Skip(1), (a, b) => clock.GetElapsedTime(a, b)).ToList();
        Assert.True(gaps.Max() > TimeSpan.FromSeconds(1), $"The longest gap is {gaps.Max()}.");
        Assert.All(gaps, gap => Assert.True(gap > TimeSpan.Zero));
    }
}
