using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Jobs;
using Distributed.Testing;
using Distributed.Testing.Training;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>A step that never ends: the slots are free all the same, and the log says what became of the checkpoint.</summary>
public sealed class StuckStepTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1, stopPatience: TimeSpan.FromSeconds(0.2));

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Stopped_WhileAStepDoesNotEnd_IsEndedWithoutIt()
    {
        var script = cluster.Scripts.Of("stuck");
        script.Hold(2);
        await cluster.Job("stuck").Submit(Specs.Lasting(min: 1, max: 1));
        await Eventually.Is(() => cluster.Job("stuck").Status(), r => r!.Step == 1);
        Assert.Null((await cluster.Job("stuck").Stop(checkpoint: true, Callers.Admin))!.Refusal);
        var stopped = Assert.IsType<StoppedEvent>(JobEventJson.Read((await cluster.Watch("stuck"))[^1]));
        Assert.Equal(1, stopped.Step);
        Assert.Contains((Generation.First, true), script.Aborts);
        Assert.Contains((await cluster.Job("stuck").ReadLog(0, 100, TimeSpan.Zero))!.Events, line => line.Json.Contains(
            "without a checkpoint of that step", StringComparison.Ordinal));
        // The one slot is free.
        await cluster.Job("next").Submit(Specs.Lasting(min: 1, max: 1));
        Assert.IsType<CompletedEvent>(JobEventJson.Read((await cluster.Watch("next"))[^1]));
    }
}
