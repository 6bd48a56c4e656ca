using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>
/// A generation of 64 silos, whose votes come from another silo than the coordinator's; <c>dtrain bench latency</c> says how long it takes.
/// </summary>
public sealed class ManySilosTests : IAsyncLifetime
{
    private const int Silos = 64;
    private const int Steps = 20;

    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(2);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Vote_SixtyFourSilos_AllGetTheDecisionWithTheLastVote()
    {
        string[] names = [.. Enumerable.Range(0, Silos).Select(i => $"silo-{i}")];
        await cluster.GrainsIn(0).GetGrain<ICoordinatorGrain>("wide").Open(
            new GenerationSetup(
                new(1), JobSpecJson.Write(Specs.Job(steps: Steps)), [.. names], TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2)));
        var coordinator = cluster.GrainsIn(1).GetGrain<ICoordinatorGrain>("wide");
        var state = Specs.Fresh;
        for (var step = 0; step < Steps; step++)
        {
            var vote = Specs.Vote(state);
            var early = names[..^1].Select(name => coordinator.Vote(name, Steps, vote)).ToList();
            // Answered behind the votes before it: they wait in the coordinator.
            await coordinator.RequestStop(new(0), default);
            Assert.DoesNotContain(early, reply => reply.IsCompleted);
            var last = await coordinator.Vote(names[^1], Steps, vote);
            foreach (var reply in await Task.WhenAll(early)) Assert.Equal(last.Decision, reply.Decision);
            state = last.Decision!.After;
        }
        Assert.Equal(Steps, state.Updates);
    }
}
