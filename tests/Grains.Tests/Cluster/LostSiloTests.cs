using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Tests.Cluster;

public sealed class LostSiloTests : IAsyncLifetime
{
    /// <summary>What a test waits for comes long before: the deadlines tell the one from the other.</summary>
    private static readonly TimeSpan StepDeadline = TimeSpan.FromMinutes(20), Hang = TimeSpan.FromMinutes(5);

    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(2, StepDeadline);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    /// <summary>Several jobs in a row would each have their directory entry elsewhere: all their grains must outlive the silo.</summary>
    [Fact]
    public async Task Killed_FailsTheJobNamingItLongBeforeTheStepsDeadlineAndKeepsEveryLog()
    {
        // Called from the first silo, as the endpoint of 'train' does, so that the jobs live there.
        var first = cluster.GrainsInSilo;
        string[] done = [.. Enumerable.Range(0, 8).Select(i => $"done-{i}")];
        foreach (var id in done)
        {
            await first.GetGrain<IJobGrain>(id).Submit(Specs.Submission(ranks: 2));
            await cluster.Watch(id);
        }

        var two = cluster.SiloNames[1];
        var script = cluster.Scripts.Of("torn");
        script.Vote = (silo, vote) => silo == two && vote.Step == 3 ? null : vote;
        await first.GetGrain<IJobGrain>("torn").Submit(Specs.Submission(ranks: 3, silos: 2));
        await cluster.WaitFor("torn", "step 2");
        await cluster.KillSecond();
        var events = await Watch("torn").WaitAsync(Hang);
        var failure = Assert.IsType<FailedEvent>(JobEventJson.Read(events[^1])).Error;
        Assert.Equal((ErrorCodes.SiloLost, 1, two), (failure.Code, failure.Rank?.Value, failure.Silo));
        Assert.StartsWith($"Silo {two} is gone, and rank 1, 2 with it", failure.Message, StringComparison.Ordinal);
        Assert.Contains("started", events[0], StringComparison.Ordinal);
        foreach (var id in done) Assert.Equal(7, (await Watch(id)).Count);
        // The silo that is left takes the next job.
        await first.GetGrain<IJobGrain>("next").Submit(Specs.Submission(ranks: 2));
        Assert.Equal(7, (await Watch("next").WaitAsync(Hang)).Count);
    }

    [Fact]
    public async Task Meet_ThroughGrainCalls_GivesBothSilosOneMesh()
    {
        var coordinator = cluster.Grains.GetGrain<ICoordinatorGrain>("meet");
        await coordinator.Open(
            new GenerationSetup(new(1), JobSpecJson.Write(Specs.Job()), ["b", "a"], TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5)));
        var first = coordinator.Meet(new(1), "a", "127.0.0.1:2", "cpu");
        var second = await coordinator.Meet(new(1), "b", "127.0.0.1:1", "cpu");
        Assert.Equal(["127.0.0.1:1", "127.0.0.1:2"], second.Endpoints.ToArray());
        Assert.Equal(second.Secret.ToArray(), (await first).Secret.ToArray());
        Assert.Equal(32, second.Secret.Length);
    }

    private async Task<IReadOnlyList<string>> Watch(string id)
    {
        var events = new List<string>();
        while (true)
        {
            var page = (await cluster.GrainsInSilo.GetGrain<IJobGrain>(id).ReadEvents(events.Count, 100, TimeSpan.FromSeconds(5)))!;
            events.AddRange(page.Events.Select(e => e.Json));
            if (page.Final) return events;
        }
    }
}
