using System.Runtime.InteropServices;
using Distributed.Silo.Lifecycle;

namespace Distributed.Silo.Tests.Serve;

public sealed class LeaveSignalsTests
{
    [Theory]
    [InlineData(PosixSignal.SIGTERM)]
    [InlineData(PosixSignal.SIGINT)]
    [InlineData(PosixSignal.SIGHUP)]
    public void First_WhicheverItIs_LeavesInPeace(PosixSignal signal)
    {
        using LeaveSignals signals = new();
        signals.On(signal);
        Assert.True(signals.Leave.IsCancellationRequested);
        Assert.False(signals.LeaveNow.IsCancellationRequested);
    }

    [Fact]
    public void HangUp_HoweverOftenAndBesideOthers_NeverInsists()
    {
        using LeaveSignals signals = new();
        foreach (var signal in new[] { PosixSignal.SIGHUP, PosixSignal.SIGHUP, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
            signals.On(signal);
        Assert.False(signals.LeaveNow.IsCancellationRequested);
        signals.On(PosixSignal.SIGTERM);
        Assert.True(signals.LeaveNow.IsCancellationRequested);
    }
}
