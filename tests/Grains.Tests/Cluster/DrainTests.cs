using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Distributed.Testing;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>A silo that an operator drained: it takes nothing on, and the grains that follow jobs live elsewhere.</summary>
public sealed class DrainTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(2, TimeSpan.FromMinutes(5), new SharedStorage());

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Drained_TheQueueMovesAndJobsRunOnTheOther_UndoneItTakesThemAgain()
    {
        var queue = cluster.Grains.GetGrain<IJobQueueGrain>(0);
        var drained = (await queue.Look(false)).Equals(cluster.AddressOf(0)) ? 0 : 1;
        var other = 1 - drained;
        var drain = cluster.ServiceIn<SiloDrain>(drained);
        Assert.True(drain.Ask(true));
        await Eventually.Is(() => queue.Look(true), at => at.Equals(cluster.AddressOf(other)));

        // The job's grain, too, though it is called from the drained silo.
        var gate = cluster.Scripts.Of("guest").Hold(2);
        await cluster.GrainsIn(drained).GetGrain<IJobGrain>("guest").Submit(Specs.Lasting(min: 1, max: 1));
        var report = await Eventually.Is(() => cluster.Job("guest").Status(), r => r!.Phase == JobPhase.Running);
        Assert.Equal(cluster.NameOf(other), Assert.Single(report!.Silos));
        Assert.Equal(SiloCondition.Draining, (await queue.Describe()).Silos.Single(s => s.Name == cluster.NameOf(drained)).Condition);

        await cluster.Job("waits").Submit(Specs.Lasting(min: 1, max: 1));
        Assert.False(drain.Ask(false));
        await Eventually.Is(() => cluster.Job("waits").Status(), r => r!.Phase == JobPhase.Completed);
        gate.SetResult();
        await Eventually.Is(() => cluster.Job("guest").Status(), r => r!.Phase == JobPhase.Completed);
    }

    [Fact]
    public void Leaving_IsNotTakenBack()
    {
        SiloDrain drain = new();
        Assert.True(drain.Ask(true));
        drain.Begin();
        Assert.True(drain.Ask(false));
        Assert.True(drain.IsDraining);
    }

    [Fact]
    public async Task WhenAsked_CompletesForEachDrain()
    {
        SiloDrain drain = new();
        var first = drain.WhenAsked(CancellationToken.None);
        Assert.False(first.IsCompleted);
        drain.Ask(true);
        await first;
        Assert.True(drain.WhenAsked(CancellationToken.None).IsCompleted);
        drain.Ask(false);
        var second = drain.WhenAsked(CancellationToken.None);
        Assert.False(second.IsCompleted);
        drain.Ask(true);
        await second;
    }
}
