using System.Net;
using Distributed.Silo.Gateway;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Distributed.Silo.Tests.Gateway;

/// <summary>What one caller can take of the endpoint.</summary>
public sealed class GatewayLimitsTests
{
    [Fact]
    public void Take_MoreThanAMinutesLines_HoldsThemBackAndSaysHowMany()
    {
        SteppedTime time = new();
        Lines lines = new();
        CallLog log = new(time, lines);
        Assert.Equal(CallLog.LinesPerMinute, Enumerable.Range(0, CallLog.LinesPerMinute + 7).Count(_ => log.May()));
        Assert.Empty(lines.Written);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(log.May());
        Assert.StartsWith("7 more errors of calls were not logged", Assert.Single(lines.Written), StringComparison.Ordinal);
        Assert.True(log.May());
        Assert.Single(lines.Written);
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
        await closed.Task.WaitAsync(TimeSpan.FromMinutes(1));
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

    private sealed class Lines : ILogger<CallLog>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));
    }

    private static DefaultConnectionContext Of(byte address) =>
        new() { RemoteEndPoint = new IPEndPoint(new IPAddress([10, 0, 0, address]), 1) };
}
