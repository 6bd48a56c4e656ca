using Distributed.Core.Events;
using Distributed.Grains.Jobs;
using Distributed.Testing;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Where the operator allows it, a job of higher priority takes the silos of a running one.</summary>
public sealed class PreemptionTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1, TimeSpan.FromMinutes(5), preempts: true);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task HigherPriority_TheLowerJobMakesRoomAndGoesOnAfterwards()
    {
        var gate = cluster.Scripts.Of("low").Hold(5);
        await cluster.Job("low").Submit(Specs.Lasting(steps: 8, user: "bob"));
        await cluster.WaitFor("low", "step 4");
        // Of the same priority: nobody goes.
        await cluster.Job("equal").Submit(Specs.Lasting());
        await Eventually.Is(() => cluster.Job("equal").Status(), r => r!.Message.Contains("is the next one", StringComparison.Ordinal));

        await cluster.Job("urgent").Submit(Specs.Lasting(priority: 5));
        await Eventually.Is(Log, log => log.Contains(
            "job urgent has a higher priority and needs its silos: writing a checkpoint, then back into the queue",
            StringComparison.Ordinal));
        await Eventually.Is(() => cluster.Job("urgent").Status(), r => r!.Message.Contains(
            "job low of lower priority makes room", StringComparison.Ordinal));
        gate.SetResult();
        Assert.IsType<CompletedEvent>(JobEventJson.Read((await cluster.Watch("urgent"))[^1]));

        var events = (await cluster.Watch("low")).Select(JobEventJson.Read).ToList();
        Assert.Equal("job urgent has a higher priority and needs its silos", Assert.Single(events.OfType<GenerationEvent>()).Reason);
        Assert.IsType<CompletedEvent>(events[^1]);
        await cluster.Watch("equal");
        Assert.Equal(
            (1, 1), ((await cluster.Job("equal").Status())!.Generation.Value, (await cluster.Job("urgent").Status())!.Generation.Value));

        async Task<string> Log() =>
            string.Join('\n', (await cluster.Job("low").ReadLog(0, 100, TimeSpan.Zero))!.Events.Select(line => line.Json));
    }
}
