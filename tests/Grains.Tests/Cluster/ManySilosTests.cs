using System.Diagnostics;
using Distributed.Core.Jobs;
using Distributed.Grains.Coordination;
using Xunit.Abstractions;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>A generation of 64 silos, whose votes come from another silo than the coordinator's.</summary>
[Collection(nameof(TimedAlone))]
public sealed class ManySilosTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Silos = 64;
    private const int Rounds = 10;
    private const int RoundSteps = 500;
    private const int Settling = 150;

    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(2);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Vote_SixtyFourSilos_TheDecisionIsThereWithinMillisecondsOfTheLastVote()
    {
        string[] names = [.. Enumerable.Range(0, Silos).Select(i => $"silo-{i}")];
        await cluster.GrainsIn(0).GetGrain<ICoordinatorGrain>("wide").Open(
            new GenerationSetup(1, JobSpecJson.Write(Specs.Job(steps: Rounds * RoundSteps)), [.. names], TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)));
        var coordinator = cluster.GrainsIn(1).GetGrain<ICoordinatorGrain>("wide");
        // A machine that does something else for a moment shows in the worst of a round; one round of ten must be free of it.
        var state = Specs.Fresh;
        var best = double.PositiveInfinity;
        for (var round = 0; round < Rounds && best >= 5; round++)
        {
            var times = new List<double>();
            for (var step = 0; step < RoundSteps; step++)
            {
                var vote = Specs.Vote(state);
                var early = names[..^1].Select(name => coordinator.Vote(name, Rounds * RoundSteps, vote)).ToList();
                // They wait in the coordinator by the time the last one comes.
                await coordinator.RequestStop(0, default);
                var started = Stopwatch.GetTimestamp();
                var last = await coordinator.Vote(names[^1], Rounds * RoundSteps, vote);
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                foreach (var reply in await Task.WhenAll(early)) Assert.Equal(last.Decision, reply.Decision);
                state = last.Decision!.After;
            }

            var settled = times.Skip(Settling).Order().ToList();
            var (p50, p99) = (settled[settled.Count / 2], settled[(int)(settled.Count * 0.99)]);
            output.WriteLine($"round {round}: from the last of {Silos} votes to the decision: p50 {p50:F3} ms, p99 {p99:F3} ms");
            best = Math.Min(best, p99);
        }

        Assert.True(best < 5, $"p99 {best} ms in the best round, expected below 5 ms.");
    }
}
