using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Devices;
using Distributed.Grains.Jobs;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Jobs that line up again: their silos are lost, leave, or shall be others.</summary>
public sealed class ComebackTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(3, TimeSpan.FromSeconds(60), new SharedStorage());

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    private IGrainFactory First => cluster.GrainsInSilo;

    [Fact]
    public async Task SiloKilled_TheJobRunsAgainElsewhereAndCompletes()
    {
        var two = cluster.SiloNames[1];
        var script = cluster.Scripts.Of("torn");
        var slots = await Slots();
        script.Vote = (silo, vote) => silo == two && vote.Step == 3 ? null : vote;
        // Three silos' worth of ranks at most, so that two silos will do after the loss.
        await First.GetGrain<IJobGrain>("torn").Submit(Wide(slots));
        await cluster.WaitFor("torn", "step 2");
        await cluster.KillSecond();
        var events = (await Watch("torn").WaitAsync(TimeSpan.FromSeconds(30))).Select(e => JobEventJson.Read(e)!).ToList();
        var again = Assert.IsType<GenerationEvent>(Assert.Single(events, e => e is GenerationEvent));
        Assert.Equal((2, $"silo {two} lost"), (again.Number, again.Reason));
        Assert.DoesNotContain(two, again.Ranks.Select(r => r.Silo));
        Assert.IsType<CompletedEvent>(events[^1]);
        Assert.Equal(2, (await First.GetGrain<IJobGrain>("torn").Status())!.Generation);
        var diary = string.Join('\n', (await First.GetGrain<IJobGrain>("torn").ReadLog(0, 1000, TimeSpan.Zero))!.Events.Select(e => e.Json));
        Assert.Contains("submitted by ann", diary, StringComparison.Ordinal);
        Assert.Contains($"back in the queue: silo {two} lost", diary, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SiloOfTheJobsGrainKilled_AnotherSiloWakesItAndItGoesOn()
    {
        // The grains of this job lie on the second silo, as it is submitted there.
        var script = cluster.Scripts.Of("orphan");
        var gate = script.Hold(3);
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("orphan").Submit(Specs.Lasting());
        await cluster.WaitFor("orphan", "step 2");
        await cluster.KillSecond();
        var report = await TrainingCluster.Eventually(() => Ask("orphan"), r => r is { Generation: 2, Phase: JobPhase.Running });
        gate.SetResult();
        report = await TrainingCluster.Eventually(() => Ask("orphan"), r => r?.Phase == JobPhase.Completed);
        Assert.Equal(2, report!.Generation);
        // No step was decided twice under one generation.
        var votes = script.Votes.GroupBy(v => v).Where(g => g.Count() > 1);
        Assert.Empty(votes);
    }

    [Fact]
    public async Task Move_WritesACheckpointAndGoesOnFromThere()
    {
        var script = cluster.Scripts.Of("moved");
        var gate = script.Hold(3);
        await cluster.Job("moved").Submit(Specs.Lasting(steps: 6));
        await cluster.WaitFor("moved", "step 2");
        await cluster.Job("moved").Move("silo x is leaving");
        gate.SetResult();
        var events = (await cluster.Watch("moved")).Select(e => JobEventJson.Read(e)!).ToList();
        Assert.DoesNotContain(events, e => e is StoppedEvent);
        Assert.IsType<CompletedEvent>(events[^1]);
        Assert.Equal([1, 2, 3, 4, 5, 6], script.Votes.Select(v => v.Step));
        Assert.Equal([1, 1, 1, 2, 2, 2], script.Votes.Select(v => v.Generation));
    }

    [Fact]
    public async Task Scale_Running_GoesOnWithThatManyRanks()
    {
        var gate = cluster.Scripts.Of("scaled").Hold(2);
        await cluster.Job("scaled").Submit(Specs.Lasting(steps: 4));
        await cluster.WaitFor("scaled", "step 1");
        Assert.Contains("9 ranks, but a step has only 8", (await cluster.Job("scaled").Scale(9))!.Refusal, StringComparison.Ordinal);
        Assert.Null((await cluster.Job("scaled").Scale(1))!.Refusal);
        gate.SetResult();
        var events = (await cluster.Watch("scaled")).Select(e => JobEventJson.Read(e)!).ToList();
        Assert.Single(events.OfType<GenerationEvent>().Single().Ranks);
        Assert.Equal("scaled from 2 to 1 ranks", events.OfType<GenerationEvent>().Single().Reason);
        Assert.Contains("has completed", (await cluster.Job("scaled").Scale(1))!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopThenResume_GoesOnInANewGenerationAndTheLogDoesToo()
    {
        var gate = cluster.Scripts.Of("paused").Hold(3);
        await cluster.Job("paused").Submit(Specs.Lasting(steps: 5));
        await cluster.WaitFor("paused", "step 2");
        Assert.Contains("only a stopped or failed job", (await cluster.Job("paused").Resume())!.Refusal, StringComparison.Ordinal);
        await cluster.Job("paused").Stop(checkpoint: true);
        gate.SetResult();
        var first = await cluster.Watch("paused");
        Assert.IsType<StoppedEvent>(JobEventJson.Read(first[^1]));
        Assert.Null((await TrainingCluster.Eventually(() => cluster.Job("paused").Resume(), c => c!.Refusal is null))!.Refusal);
        var all = await cluster.Watch("paused");
        Assert.Equal(first, all.Take(first.Count));
        Assert.Equal("resumed", Assert.IsType<GenerationEvent>(JobEventJson.Read(all[first.Count])).Reason);
        Assert.IsType<CompletedEvent>(JobEventJson.Read(all[^1]));
        Assert.Contains("has completed", (await cluster.Job("paused").Resume())!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_OnlyWhatDoesNotRun_ThenTheIdIsFree()
    {
        var gate = cluster.Scripts.Of("gone").Hold(2);
        await cluster.Job("gone").Submit(Specs.Lasting());
        await cluster.WaitFor("gone", "step 1");
        Assert.Contains("stop it first", (await cluster.Job("gone").Delete())!.Refusal, StringComparison.Ordinal);
        gate.SetResult();
        await cluster.Watch("gone");
        Assert.Null((await TrainingCluster.Eventually(() => cluster.Job("gone").Delete(), c => c!.Refusal is null))!.Refusal);
        Assert.Null(await cluster.Job("gone").Status());
        Assert.DoesNotContain("gone", await cluster.Grains.GetGrain<IJobQueueGrain>(0).List());
        Assert.Null(await cluster.Job("gone").Delete());
        Assert.Equal(SubmitResult.Created, (await cluster.Job("gone").Submit(Specs.Lasting(steps: 3))).Result);
    }

    [Fact]
    public async Task Confirm_OfAnOldGeneration_IsRefused()
    {
        var gate = cluster.Scripts.Of("fenced").Hold(2);
        await cluster.Job("fenced").Submit(Specs.Lasting());
        await cluster.WaitFor("fenced", "step 1");
        Assert.Null(await cluster.Job("fenced").Confirm(1, 1));
        Assert.Equal(ErrorCodes.SiloLost, (await cluster.Job("fenced").Confirm(0, 1))!.Code);
        gate.SetResult();
        await cluster.Watch("fenced");
        Assert.NotNull(await cluster.Job("fenced").Confirm(1, 5));
    }

    [Fact]
    public async Task Submit_ByAnotherUser_TellsNothingOfTheJob()
    {
        await cluster.Job("mine").Submit(Specs.Lasting());
        var outcome = await cluster.Job("mine").Submit(Specs.Lasting(user: "bob"));
        Assert.Equal((SubmitResult.IdTaken, "The id mine is taken; choose another one."), (outcome.Result, outcome.Message));
    }

    [Fact]
    public async Task Why_WaitingRunningEnded_SaysWhatItWaitsForAndWhatHelps()
    {
        var gate = cluster.Scripts.Of("busy").Hold(2);
        var slots = await Slots();
        await cluster.Job("busy").Submit(Wide(slots));
        await cluster.WaitFor("busy", "step 1");
        await cluster.Job("late").Submit(Specs.Lasting(min: 1));
        var why = await TrainingCluster.Eventually(() => cluster.Job("late").Why(), w => w!.Findings[0].What.Contains("running: busy", StringComparison.Ordinal));
        Assert.Equal(JobPhase.Queued, why!.Report.Phase);
        Assert.Contains("busy", (await cluster.Grains.GetGrain<IJobQueueGrain>(0).Describe()).Silos.Select(s => s.Job));
        gate.SetResult();
        await cluster.Watch("late");
        Assert.Equal("has completed after 5 steps", (await cluster.Job("late").Why())!.Findings[0].What);
    }

    private async Task<int> Slots() => (await cluster.Grains.GetGrain<IJobQueueGrain>(0).Describe()).Silos[0].Slots;

    private static JobSubmission Wide(int slots) => Specs.Lasting(min: 2, max: Math.Min(8, 3 * slots));

    private async Task<JobReport?> Ask(string id)
    {
        try
        {
            return await First.GetGrain<IJobGrain>(id).Status();
        }
        catch (Exception e) when (e is Orleans.Runtime.OrleansException or TimeoutException)
        {
            return null;
        }
    }

    private async Task<IReadOnlyList<string>> Watch(string id)
    {
        var events = new List<string>();
        while (true)
        {
            var page = (await First.GetGrain<IJobGrain>(id).ReadEvents(events.Count, 100, TimeSpan.FromSeconds(5)))!;
            events.AddRange(page.Events.Select(e => e.Json));
            if (page.Final) return events;
        }
    }
}
