using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Testing.Training;

namespace Distributed.Grains.Tests.Cluster;

public sealed class TwoSiloTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(2, TimeSpan.FromSeconds(3));

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Submit_TwoSilos_BothTakeEveryDecisionAlike()
    {
        await cluster.Job("pair").Submit(Specs.Submission(ranks: 3, silos: 2));
        var events = await cluster.Watch("pair");
        foreach (var silo in cluster.SiloNames) Assert.Contains(silo, events[0], StringComparison.Ordinal);
        var decisions = cluster.Scripts.Of("pair").Decisions.GroupBy(d => d.Silo).Select(g => g.Select(d => d.Decision).ToList()).ToList();
        Assert.Equal(2, decisions.Count);
        Assert.Equal(5, decisions[0].Count);
        Assert.Equal(decisions[0], decisions[1]);
        Assert.Equal(JobPhase.Completed, (await cluster.Job("pair").Status())!.Phase);
    }

    [Fact]
    public async Task Vote_Unequal_FailsTheJobOnceNamingBothSilos()
    {
        var (one, two) = (cluster.SiloNames[0], cluster.SiloNames[1]);
        cluster.Scripts.Of("torn").Vote = (silo, vote) => silo == two && vote.Step == 3 ? vote with { LossSum = 65 } : vote;
        await cluster.Job("torn").Submit(Specs.Submission(ranks: 2, silos: 2));
        var events = await cluster.Watch("torn");
        Assert.Single(events, e => e.Contains("\"divergence\"", StringComparison.Ordinal));
        var report = await cluster.Job("torn").Status();
        Assert.Equal(JobPhase.Failed, report!.Phase);
        Assert.Contains(one, report.Message, StringComparison.Ordinal);
        Assert.Contains(two, report.Message, StringComparison.Ordinal);
        Assert.Contains("Step 3", report.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vote_Missing_DeadlineNamesTheSiloAndTheSilosAreFreeAgain()
    {
        var two = cluster.SiloNames[1];
        cluster.Scripts.Of("mute").Vote = (silo, vote) => silo == two && vote.Step == 2 ? null : vote;
        await cluster.Job("mute").Submit(Specs.Submission(ranks: 2, silos: 2));
        var events = await cluster.Watch("mute");
        var failure = Assert.IsType<FailedEvent>(JobEventJson.Read(events[^1])).Error;
        Assert.Equal(
            (ErrorCodes.Deadline, 1, two, "decide", 2L), (failure.Code, failure.Rank?.Value, failure.Silo, failure.Phase, failure.Step));
        var report = await cluster.Job("mute").Status();
        Assert.Equal(JobPhase.Failed, report!.Phase);
        Assert.StartsWith($"Step 2: no vote from silo {two} for 3 s", report.Message, StringComparison.Ordinal);
        await cluster.Job("next").Submit(Specs.Submission(ranks: 2, silos: 2));
        Assert.Equal(7, (await cluster.Watch("next")).Count);
    }

    [Fact]
    public async Task Stop_Running_ReachesBothSilosAtTheSameStep()
    {
        var script = cluster.Scripts.Of("halt");
        var gate = script.Hold(3);
        await cluster.Job("halt").Submit(Specs.Submission(steps: 1000, ranks: 2, silos: 2));
        await cluster.WaitFor("halt", "step 2");
        var stopping = (await cluster.Job("halt").Stop(checkpoint: true, Callers.Admin))!.Report;
        Assert.Equal((JobPhase.Running, "stops after the step in flight"), (stopping.Phase, stopping.Message));
        gate.SetResult();
        await cluster.Watch("halt");
        var report = await cluster.Job("halt").Status();
        Assert.Equal((JobPhase.Stopped, 3L), (report!.Phase, report.Step));
        var last = script.Decisions.Where(d => d.Decision.Control == StepControl.CheckpointAndStop).ToList();
        Assert.Equal(cluster.SiloNames, last.Select(d => d.Silo).Order(StringComparer.Ordinal));
        Assert.All(last, d => Assert.Equal(3, d.Decision.Step));
    }
}
