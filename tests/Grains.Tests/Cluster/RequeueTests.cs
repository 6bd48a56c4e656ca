using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Coordination;
using Distributed.Grains.Placement;
using Distributed.Testing;
using Distributed.Testing.Training;
using Orleans.Runtime;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Jobs that line up again: their silos are lost, leave, or shall be others.</summary>
public sealed class RequeueTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(3, TimeSpan.FromMinutes(5), new SharedStorage());

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
        var events = (await Watch("torn").WaitAsync(TimeSpan.FromMinutes(5))).Select(e => JobEventJson.Read(e)!).ToList();
        var again = Assert.IsType<GenerationEvent>(Assert.Single(events, e => e is GenerationEvent));
        Assert.Equal((2, $"silo {two} lost"), (again.Number.Value, again.Reason));
        Assert.DoesNotContain(two, again.Ranks.Select(r => r.Silo));
        Assert.IsType<CompletedEvent>(events[^1]);
        Assert.Equal(2, (await First.GetGrain<IJobGrain>("torn").Status())!.Generation.Value);
        var log = await Log("torn");
        Assert.Contains("submitted by ann", log, StringComparison.Ordinal);
        Assert.Contains($"back in the queue: silo {two} lost", log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SiloOfTheJobsGrainKilled_AnotherOneFollowsTheRanksAndNoneIsStartedAgain()
    {
        // The job's grain lies on the second silo, as it is submitted there; its rank runs on the first.
        var script = cluster.Scripts.Of("orphan");
        var gate = script.Hold(3);
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("orphan").Submit(Specs.Lasting());
        await cluster.WaitFor("orphan", "step 2");
        Assert.Equal(cluster.SiloNames[0], Assert.Single((await Ask("orphan"))!.Silos));
        await cluster.KillSecond();
        await Eventually.Is(() => Log("orphan"), d => d.Contains("followed from here on: generation 1", StringComparison.Ordinal));
        gate.SetResult();
        var report = await Eventually.Is(() => Ask("orphan"), r => r?.Phase == JobPhase.Completed);
        Assert.Equal((1, 5L), (report!.Generation.Value, report.Step));
        Assert.Equal([1, 2, 3, 4, 5], script.Votes.Select(v => v.Step));
    }

    [Fact]
    public async Task SiloOfRankZeroAndTheJobsGrainKilled_AnotherSiloWakesItAndItGoesOn()
    {
        var script = cluster.Scripts.Of("orphan");
        var gate = script.Hold(3);
        cluster.ServiceIn<SiloDrain>(0).Ask(drain: true);
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("orphan").Submit(Specs.Lasting());
        await cluster.WaitFor("orphan", "step 2");
        Assert.Equal(cluster.SiloNames[1], Assert.Single((await Ask("orphan"))!.Silos));
        cluster.ServiceIn<SiloDrain>(0).Ask(drain: false);
        await cluster.KillSecond();
        gate.SetResult();
        var report = await Eventually.Is(() => Ask("orphan"), r => r?.Phase == JobPhase.Completed);
        Assert.Equal(2, report!.Generation.Value);
        Assert.Contains($"back in the queue: silo {cluster.SiloNames[1]} lost", await Log("orphan"), StringComparison.Ordinal);
        // No step was decided twice under one generation.
        Assert.DoesNotContain(script.Votes.GroupBy(v => v), g => g.Count() > 1);
    }

    /// <summary>The silo that follows a job may leave while its ranks run elsewhere: they do not even pause.</summary>
    [Fact]
    public async Task SiloOfTheJobsGrainLeaves_TheGenerationGoesOn()
    {
        var script = cluster.Scripts.Of("followed");
        var gate = script.Hold(3);
        await cluster.GrainsIn(1).GetGrain<IJobGrain>("followed").Submit(Specs.Lasting());
        await cluster.WaitFor("followed", "step 2");
        await cluster.StopSecond();
        gate.SetResult();
        var report = await Eventually.Is(() => Ask("followed"), r => r?.Phase == JobPhase.Completed);
        Assert.Equal((1, 5L), (report!.Generation.Value, report.Step));
    }

    [Fact]
    public async Task ARowOfGenerations_EachHasItsCoordinatorWhereItsFirstRankIs()
    {
        var script = cluster.Scripts.Of("moving");
        var gates = new[] { script.Hold(2), script.Hold(4) };
        await cluster.GrainsIn(2).GetGrain<IJobGrain>("moving").Submit(Specs.Lasting());
        await cluster.WaitFor("moving", "step 1");
        Assert.Equal([cluster.AddressOf(0)], await CoordinatorsOf("moving", 1));
        // Drained, so that the next generation runs elsewhere.
        cluster.ServiceIn<SiloDrain>(0).Ask(drain: true);
        await cluster.Job("moving").Move("silo is drained");
        gates[0].SetResult();
        await cluster.WaitFor("moving", "step 3");
        Assert.Equal([cluster.AddressOf(1)], await CoordinatorsOf("moving", 2));
        Assert.Empty(await Eventually.Is(() => CoordinatorsOf("moving", 1), places => places.Count == 0));
        gates[1].SetResult();
        await cluster.Watch("moving");
        Assert.Empty(await Eventually.Is(() => CoordinatorsOf("moving", 2), places => places.Count == 0));
        cluster.ServiceIn<SiloDrain>(0).Ask(drain: false);
    }

    [Fact]
    public async Task NarrowJob_WidensWhenSlotsAreFree_AndOnce()
    {
        var slots = await Slots();
        var first = cluster.Scripts.Of("small").Hold(2);
        var gate = cluster.Scripts.Of("narrow").Hold(3);
        var other = Specs.Lasting();
        await cluster.Job("small").Submit(other with { Options = other.Options with { Ranks = 2, Silos = 2 } });
        await cluster.WaitFor("small", "step 1");
        await cluster.Job("narrow").Submit(Specs.Lasting(min: 1, max: Math.Min(8, 3 * slots)));
        await cluster.WaitFor("narrow", "step 2");
        Assert.Single((await cluster.Job("narrow").Status())!.Silos);
        first.SetResult();
        await cluster.Watch("small");
        await Eventually.Is(() => Log("narrow"), d => d.Contains("ranks are free, it runs on", StringComparison.Ordinal));
        gate.SetResult();
        var events = (await cluster.Watch("narrow")).Select(e => JobEventJson.Read(e)!).ToList();
        var wide = Assert.Single(events.OfType<GenerationEvent>());
        Assert.Equal(Math.Min(8, 3 * slots), wide.Ranks.Count);
        Assert.IsType<CompletedEvent>(events[^1]);
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
        Assert.Equal([1, 1, 1, 2, 2, 2], script.Votes.Select(v => v.Generation.Value));
    }

    [Fact]
    public async Task Scale_Running_GoesOnWithThatManyRanks()
    {
        var gate = cluster.Scripts.Of("scaled").Hold(2);
        await cluster.Job("scaled").Submit(Specs.Lasting(steps: 4));
        await cluster.WaitFor("scaled", "step 1");
        Assert.Contains(
            "9 ranks, but a step has only 8", (await cluster.Job("scaled").Scale(9, Callers.Admin))!.Refusal, StringComparison.Ordinal);
        Assert.Null((await cluster.Job("scaled").Scale(1, Callers.Admin))!.Refusal);
        gate.SetResult();
        var events = (await cluster.Watch("scaled")).Select(e => JobEventJson.Read(e)!).ToList();
        Assert.Single(events.OfType<GenerationEvent>().Single().Ranks);
        Assert.Equal("scaled from 2 to 1 ranks", events.OfType<GenerationEvent>().Single().Reason);
        Assert.Contains("has completed", (await cluster.Job("scaled").Scale(1, Callers.Admin))!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StopThenResume_GoesOnInANewGenerationAndTheLogDoesToo()
    {
        var gate = cluster.Scripts.Of("paused").Hold(3);
        await cluster.Job("paused").Submit(Specs.Lasting(steps: 5));
        await cluster.WaitFor("paused", "step 2");
        Assert.Contains(
            "only a stopped or failed job", (await cluster.Job("paused").Resume(Callers.Admin))!.Refusal, StringComparison.Ordinal);
        await cluster.Job("paused").Stop(checkpoint: true, Callers.Admin);
        gate.SetResult();
        var first = await cluster.Watch("paused");
        Assert.IsType<StoppedEvent>(JobEventJson.Read(first[^1]));
        Assert.Null((await Eventually.Is(() => cluster.Job("paused").Resume(Callers.Admin), c => c!.Refusal is null))!.Refusal);
        var all = await cluster.Watch("paused");
        Assert.Equal(first, all.Take(first.Count));
        Assert.Equal("resumed", Assert.IsType<GenerationEvent>(JobEventJson.Read(all[first.Count])).Reason);
        Assert.IsType<CompletedEvent>(JobEventJson.Read(all[^1]));
        Assert.Contains("has completed", (await cluster.Job("paused").Resume(Callers.Admin))!.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_OnlyWhatDoesNotRun_ThenTheIdIsFree()
    {
        var gate = cluster.Scripts.Of("gone").Hold(2);
        await cluster.Job("gone").Submit(Specs.Lasting());
        await cluster.WaitFor("gone", "step 1");
        Assert.Contains("stop it first", (await cluster.Job("gone").Delete(Callers.Admin))!.Refusal, StringComparison.Ordinal);
        gate.SetResult();
        await cluster.Watch("gone");
        Assert.Null((await Eventually.Is(() => cluster.Job("gone").Delete(Callers.Admin), c => c!.Refusal is null))!.Refusal);
        Assert.Null(await cluster.Job("gone").Status());
        Assert.DoesNotContain("gone", await cluster.Grains.GetGrain<IJobQueueGrain>(0).List());
        Assert.Null(await cluster.Job("gone").Delete(Callers.Admin));
        Assert.Equal(SubmitResult.Created, (await cluster.Job("gone").Submit(Specs.Lasting(steps: 3))).Result);
    }

    [Fact]
    public async Task Confirm_OfAnOldGeneration_IsRefused()
    {
        var gate = cluster.Scripts.Of("fenced").Hold(2);
        await cluster.Job("fenced").Submit(Specs.Lasting());
        await cluster.WaitFor("fenced", "step 1");
        Assert.Null(await cluster.Job("fenced").Confirm(new(1), 1));
        Assert.Equal(ErrorCodes.SiloLost, (await cluster.Job("fenced").Confirm(new(0), 1))!.Code);
        gate.SetResult();
        await cluster.Watch("fenced");
        Assert.NotNull(await cluster.Job("fenced").Confirm(new(1), 5));
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
        var why = await Eventually.Is(
            () => cluster.Job("late").Why(), w => w!.Findings[0].What.Contains("running: busy", StringComparison.Ordinal));
        Assert.Equal(JobPhase.Queued, why!.Report.Phase);
        Assert.Contains(
            JobId.Parse("busy"), (await cluster.Grains.GetGrain<IJobQueueGrain>(0).Describe()).Silos.Select(s => s.Job ?? default));
        gate.SetResult();
        await cluster.Watch("late");
        Assert.Equal("has completed after 5 steps", (await cluster.Job("late").Why())!.Findings[0].What);
    }

    private async Task<int> Slots() => (await cluster.Grains.GetGrain<IJobQueueGrain>(0).Describe()).Silos[0].Slots;

    private static JobSubmission Wide(int slots) => Specs.Lasting(min: 2, max: Math.Min(8, 3 * slots));

    private Task<JobReport?> Ask(string id) => OrNull(() => First.GetGrain<IJobGrain>(id).Status());

    private async Task<string> Log(string id) =>
        string.Join(
            '\n', (await OrNull(() => First.GetGrain<IJobGrain>(id).ReadLog(0, 1000, TimeSpan.Zero)))?.Events.Select(e => e.Json) ?? []);

    /// <summary>Silos with a coordinator of a generation.</summary>
    private async Task<List<SiloAddress>> CoordinatorsOf(string id, int generation)
    {
        var key = CoordinatorKey.Of(JobId.Parse(id), new(generation));
        var all = await cluster.Grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        return [.. all
            .Where(s => s.GrainId.Key.ToString() == key && s.GrainType.Contains(nameof(CoordinatorGrain), StringComparison.Ordinal))
            .Select(s => s.SiloAddress)];
    }

    private static async Task<T?> OrNull<T>(Func<Task<T?>> ask)
        where T : class
    {
        try
        {
            return await ask();
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
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
