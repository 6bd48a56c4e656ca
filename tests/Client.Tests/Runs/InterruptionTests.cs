using Distributed.Client.Runs;

namespace Distributed.Client.Tests.Runs;

public sealed class InterruptionTests
{
    [Fact]
    public void Signals_FirstAsks_LaterEndsAtOnce_AnEchoIsIgnored()
    {
        ManualTime time = new();
        using var interruption = Interruption.Deaf(time);
        interruption.OnSignal();
        time.Advance(TimeSpan.FromMilliseconds(5));
        interruption.OnSignal();
        Assert.True(interruption.Asked.IsCancellationRequested);
        Assert.False(interruption.AtOnce.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(1));
        interruption.OnSignal();
        Assert.True(interruption.AtOnce.IsCancellationRequested);
    }

    [Fact]
    public void Signal_AfterTheEnd_IsWithoutEffect()
    {
        ManualTime time = new();
        var interruption = Interruption.Deaf(time);
        interruption.OnSignal();
        time.Advance(TimeSpan.FromSeconds(1));
        interruption.Dispose();
        interruption.OnSignal();
    }
}
