using System.Net;
using Distributed.Silo.Jobs;
using Microsoft.AspNetCore.Connections;

namespace Distributed.Grains.Tests.Silo.Door;

/// <summary>What one caller can take of the door.</summary>
public sealed class DoorLimitsTests
{
    [Fact]
    public void Take_MoreThanAMinutesLines_HoldsThemBackAndSaysHowMany()
    {
        SteppedTime time = new();
        DoorLog log = new(time);
        var taken = Enumerable.Range(0, 2 * DoorLog.LinesPerMinute).Count(_ => log.Take(out _));
        Assert.Equal(DoorLog.LinesPerMinute, taken);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(log.Take(out var unsaid));
        Assert.Equal(DoorLog.LinesPerMinute, unsaid);
        Assert.True(log.Take(out unsaid));
        Assert.Equal(0, unsaid);
    }

    [Fact]
    public async Task Pass_MoreThanAnAddressMayHave_AreClosedAndOthersAreNot()
    {
        ConnectionLimit limit = new(2);
        TaskCompletionSource hold = new();
        var (first, second, third, other) = (Of(1), Of(1), Of(1), Of(2));
        var served = 0;
        List<Task> open = [limit.Pass(first, Serve), limit.Pass(second, Serve)];
        await limit.Pass(third, Serve);
        open.Add(limit.Pass(other, Serve));
        Assert.Equal(3, served);
        TaskCompletionSource closed = new();
        using var told = third.ConnectionClosed.Register(closed.SetResult);
        await closed.Task;
        Assert.False(other.ConnectionClosed.IsCancellationRequested);
        hold.SetResult();
        await Task.WhenAll(open);
        await limit.Pass(Of(1), Serve);
        Assert.Equal(4, served);

        Task Serve(ConnectionContext connection)
        {
            served++;
            return hold.Task;
        }
    }

    private static DefaultConnectionContext Of(byte address) => new() { RemoteEndPoint = new IPEndPoint(new IPAddress([10, 0, 0, address]), 1) };
}
