using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Testing;
using Distributed.Testing.Training;

namespace Distributed.Grains.Tests.Cluster;

public sealed class OneSiloTests : IAsyncLifetime
{
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Submit_RunsToTheEnd_StartedStepsAndOneEndingInOrder(int ranks)
    {
        var id = $"run-{ranks}";
        Assert.Equal(SubmitResult.Created, (await cluster.Job(id).Submit(Specs.Submission(ranks: ranks))).Result);
        var events = await cluster.Watch(id);
        Assert.Equal(7, events.Count);
        for (var r = 0; r < ranks; r++) Assert.Contains($"cpu:{r}", events[0], StringComparison.Ordinal);
        for (var step = 1; step <= 5; step++) Assert.Contains($"step {step}", events[step], StringComparison.Ordinal);
        var report = await cluster.Job(id).Status();
        Assert.Equal((JobPhase.Completed, 5L, 1, ""), (report!.Phase, report.Step, report.Generation.Value, report.Message));
        Assert.Equal("toy", report.Name);
    }

    [Fact]
    public async Task Submit_RanksHaveReadTheirData_TheStartTellsIt()
    {
        cluster.Scripts.Of("data").Data = new DataSummary(8000, 1000, 10, 0, "ab");
        await cluster.Job("data").Submit(Specs.Submission());
        var events = await cluster.Watch("data");
        Assert.Equal(7, events.Count);
        Assert.Equal(cluster.Scripts.Of("data").Data, Assert.IsType<StartedEvent>(JobEventJson.Read(events[0])).Data);
        var log = (await cluster.Job("data").ReadLog(0, 100, TimeSpan.Zero))!.Events.Select(line => line.Json).ToList();
        Assert.Contains("generation 1: rank 0", log[^8], StringComparison.Ordinal);
        Assert.EndsWith("data: 8000 training and 1000 test samples, 10 classes, sha256 ab", log[^7], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Submit_Again_OnlyTheSameContentIsTheSameJob()
    {
        var job = cluster.Job("again");
        var gate = cluster.Scripts.Of("again").Hold(1);
        Assert.Equal(SubmitResult.Created, (await job.Submit(Specs.Submission())).Result);
        Assert.Equal(SubmitResult.AlreadyThere, (await job.Submit(Specs.Submission())).Result);
        // As another version writes it: other keys first, defaults left out.
        var words = Specs.Submission();
        var old = words with
        {
            SpecJson = words.SpecJson.Replace(
                "\"data\":{\"name\":\"shapes\",\"samples\":8000}", "\"data\":{\"name\":\"shapes\"}", StringComparison.Ordinal),
        };
        Assert.NotEqual(words.SpecJson, old.SpecJson);
        Assert.Equal(SubmitResult.AlreadyThere, (await job.Submit(old)).Result);
        var otherSpec = await job.Submit(Specs.Submission(steps: 6));
        Assert.Equal(
            (SubmitResult.IdTaken, "Job again was submitted before with another content; choose another id."),
            (otherSpec.Result, otherSpec.Message));
        var otherOptions = await job.Submit(Specs.Submission(ranks: 1));
        Assert.Equal(
            (SubmitResult.IdTaken, "Job again was submitted before with other options; choose another id."),
            (otherOptions.Result, otherOptions.Message));
        gate.SetResult();
        Assert.Equal(7, (await cluster.Watch("again")).Count);
        Assert.Equal(SubmitResult.AlreadyThere, (await job.Submit(Specs.Submission())).Result);
    }

    [Fact]
    public async Task Submit_MoreRanksThanMicroBatches_IsRefusedAndLeavesNoJob()
    {
        var outcome = await cluster.Job("wide").Submit(Specs.Submission(ranks: 9));
        Assert.Equal(SubmitResult.Invalid, outcome.Result);
        Assert.Null(await cluster.Job("wide").Status());
        Assert.Null(await cluster.Job("wide").ReadEvents(0, 1, TimeSpan.Zero));
    }

    [Fact]
    public async Task Submit_WhileAnotherRuns_WaitsInTheQueueUntilItEnds()
    {
        var gate = cluster.Scripts.Of("first").Hold(2);
        await cluster.Job("first").Submit(Specs.Submission());
        await cluster.Job("second").Submit(Specs.Submission());
        await cluster.WaitFor("first", "step 1");
        var waiting = await Eventually.Is(
            () => cluster.Job("second").Status(), r => r!.Message.StartsWith("is the next one", StringComparison.Ordinal));
        Assert.Equal(JobPhase.Queued, waiting!.Phase);
        Assert.Contains("needs 1 free silo at once; 0 of", waiting.Message, StringComparison.Ordinal);
        Assert.Contains("running: first", waiting.Message, StringComparison.Ordinal);
        gate.SetResult();
        await cluster.Watch("first");
        await cluster.Watch("second");
        Assert.Equal(JobPhase.Completed, (await cluster.Job("second").Status())!.Phase);
        Assert.Equal(["first", "second"], (await cluster.Grains.GetGrain<IJobQueueGrain>(0).List()).ToArray());
    }

    [Fact]
    public async Task Stop_Queued_EndsItAndTheNextOneStillRuns()
    {
        var gate = cluster.Scripts.Of("front").Hold(1);
        await cluster.Job("front").Submit(Specs.Submission());
        await cluster.Job("middle").Submit(Specs.Submission());
        await cluster.Job("back").Submit(Specs.Submission());
        Assert.Equal(JobPhase.Stopped, (await cluster.Job("middle").Stop(checkpoint: true, Callers.Admin))!.Report.Phase);
        Assert.Single(await cluster.Watch("middle"));
        gate.SetResult();
        Assert.Equal(7, (await cluster.Watch("back")).Count);
    }

    [Fact]
    public async Task Abort_BeforeStart_KeepsTheRankFromStarting()
    {
        var silo = (await cluster.Grains.GetGrain<IManagementGrain>(0).GetHosts()).Keys.Single();
        var worker = cluster.Grains.GetGrain<IWorkerGrain>(new WorkerKey(silo, JobId.Parse("never"), new(1), new(0)).ToString());
        await worker.Abort(new Distributed.Core.Events.JobError(ErrorCodes.Deadline, "over", null, null, null, null));
        await worker.Start(new RankAssignment
        {
            JobId = JobId.Parse("never"),
            Generation = new(1),
            SpecJson = JobSpecJson.Write(Specs.Job()),
            Silo = "x",
            Rank = new(0),
            WorldSize = 1,
            LocalRanks = [new PlacedRank(new(0), "cpu:0")],
            StepDeadline = TimeSpan.FromSeconds(1),
            Silos = [new SiloShare("x", 1)],
            MeetDeadline = TimeSpan.FromSeconds(1),
        });
        Assert.Empty(cluster.Scripts.Of("never").Decisions);
    }

    [Fact]
    public async Task Vote_InOneSilo_CarriesStateAndNonFiniteValues()
    {
        var coordinator = cluster.GrainsInSilo.GetGrain<ICoordinatorGrain>("speed");
        await coordinator.Open(
            new GenerationSetup(new(1), JobSpecJson.Write(Specs.Job()), ["a"], TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5)));
        var state = Specs.Fresh;
        for (var i = 0; i < 1000; i++) state = (await coordinator.Vote("a", 100_000, Specs.Vote(state))).Decision!.After;
        Assert.Equal(1000, state.Updates);
        var last = await cluster.Grains.GetGrain<ICoordinatorGrain>("speed").Vote(
            "a", 100_000, new StepVote(new(1), state, FoundInf: true, double.NaN, double.PositiveInfinity, 64, "fc.weight"));
        Assert.False(last.Decision!.Commit);
        Assert.Equal(new SkipTally(1, 1001, "fc.weight"), last.Decision.After.Skips);
    }
}
