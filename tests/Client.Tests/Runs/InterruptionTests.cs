using System.IO.Pipes;
using Distributed.Client.Following;
using Microsoft.Extensions.Time.Testing;

namespace Distributed.Client.Tests.Runs;

public sealed class InterruptionTests
{
    [Fact]
    public void Signals_FirstAsks_LaterEndsAtOnce_AnEchoIsIgnored()
    {
        FakeTimeProvider time = new();
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
    public void HangUp_HoweverOften_OnlyAsks()
    {
        FakeTimeProvider time = new();
        using var interruption = Interruption.Deaf(time);
        for (var times = 0; times < 3; times++)
        {
            interruption.OnHangUp();
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.True(interruption.Asked.IsCancellationRequested);
        Assert.False(interruption.AtOnce.IsCancellationRequested);
        Assert.False(interruption.ReaderIsGone);
        // Whoever signals after it asks for the first time.
        interruption.OnSignal();
        Assert.False(interruption.AtOnce.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(1));
        interruption.OnSignal();
        Assert.True(interruption.AtOnce.IsCancellationRequested);
    }

    [Fact]
    public async Task Reader_GoesBetweenTwoLooks_IsFoundWithoutALine()
    {
        var reads = 2;
        using var interruption = Interruption.Deaf(TimeProvider.System);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        interruption.Asked.Register(asked.SetResult);
        interruption.Watch(() => Interlocked.Decrement(ref reads) < 0);
        await asked.Task.WaitAsync(TimeSpan.FromMinutes(5));
        Assert.True(interruption.ReaderIsGone);
    }

    [Fact]
    public void Pipe_WithoutItsReader_HasNoReader()
    {
        using AnonymousPipeServerStream writer = new(PipeDirection.Out);
        var handle = writer.SafePipeHandle.DangerousGetHandle().ToInt32();
        using (AnonymousPipeClientStream reader = new(PipeDirection.In, writer.ClientSafePipeHandle))
            Assert.False(OutputReader.IsGone(handle));
        Assert.True(OutputReader.IsGone(handle));
    }

    [Fact]
    public void File_AlwaysHasRoom()
    {
        using var file = File.OpenHandle(
            Path.GetTempFileName(), FileMode.Open, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose);
        Assert.False(OutputReader.IsGone(file.DangerousGetHandle().ToInt32()));
    }

    [Fact]
    public void Signal_AfterTheEnd_IsWithoutEffect()
    {
        FakeTimeProvider time = new();
        var interruption = Interruption.Deaf(time);
        interruption.OnSignal();
        time.Advance(TimeSpan.FromSeconds(1));
        interruption.Dispose();
        interruption.OnSignal();
    }
}
