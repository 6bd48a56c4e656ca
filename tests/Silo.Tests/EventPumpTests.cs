using Distributed.Core.Events;
using Distributed.Silo.Ranks;
using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Silo.Tests;

public sealed class EventPumpTests
{
    private static EventPump Pump(FakeJobGrain job) => new(job, new(1), "a", () => 9, TimeProvider.System, NullLogger.Instance);

    [Fact]
    public async Task Drain_AfterMoreEventsThanTheQueueHolds_AllArrivedInOrderAndNumbered()
    {
        var job = new FakeJobGrain();
        await using var pump = Pump(job);
        for (var i = 0; i < 20_000; i++) pump.Publish(new WarningEvent($"w{i}"));
        await pump.Drain();
        Assert.Equal(20_000, job.Batches.Sum(b => b.Lines.Length));
        var next = 0L;
        foreach (var batch in job.Batches)
        {
            Assert.Equal((next, 9L, "a", 1), (batch.First, batch.TotalSteps, batch.Source, batch.Generation.Value));
            foreach (var line in batch.Lines) Assert.Contains($"\"w{next++}\"", line.Json, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Deliver_AnswerLost_SendsTheSameBatchWithTheSameNumber()
    {
        var job = new FakeJobGrain { AnswersToLose = 1 };
        await using var pump = Pump(job);
        pump.Publish(new WarningEvent("once"));
        await pump.Drain();
        Assert.Equal(2, job.Batches.Count);
        Assert.Equal(job.Batches[0].First, job.Batches[1].First);
        pump.Publish(new WarningEvent("then"));
        await pump.Drain();
        Assert.Equal(1, job.Batches[2].First);
    }

    [Fact]
    public async Task Deliver_GrainBreaksInAWayThatNobodyForesaw_SendsTheBatchAgain()
    {
        var job = new FakeJobGrain { AnswersToLose = 1, Loss = new InvalidOperationException("unforeseen") };
        await using var pump = Pump(job);
        pump.Publish(new WarningEvent("once"));
        await pump.Drain().WaitAsync(TimeSpan.FromMinutes(5));
        Assert.Equal(2, job.Batches.Count);
    }

    [Fact]
    public async Task Drain_BeforeTheGrainTookTheEvents_Waits()
    {
        var open = new TaskCompletionSource();
        await using var pump = Pump(new FakeJobGrain { Open = open.Task });
        pump.Publish(new WarningEvent("w"));
        var drained = pump.Drain();
        Assert.False(drained.IsCompleted);
        open.SetResult();
        await drained.WaitAsync(TimeSpan.FromMinutes(5));
    }
}
