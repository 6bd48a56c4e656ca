using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Testing;
using Distributed.Testing.Training;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Jobs of which the store knows nothing any more, and silos that cannot run a job that others can.</summary>
public sealed class LeftFolderTests : IAsyncLifetime
{
    private readonly FakeJournals journals = new();
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(2, TimeSpan.FromMinutes(5), new SharedStorage(), journals);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    private IJobQueueGrain Queue => cluster.Grains.GetGrain<IJobQueueGrain>(0);

    [Fact]
    public async Task FolderWithoutARecord_IsAStoppedJobThatItsSubmissionTakesUpAgain()
    {
        var submission = Specs.Lasting();
        journals.Folders["left"] = new KeptJob("dtrain", submission);
        var report = await cluster.Job("left").Status();
        Assert.Equal((JobPhase.Stopped, "ann"), (report!.Phase, report.User));
        Assert.Contains("'dtrain resume left' continues from its last checkpoint", report.Message, StringComparison.Ordinal);
        await Eventually.Is(async () => await Queue.List(), ids => ids.Contains("left"));
        Assert.Equal(SubmitResult.IdTaken, (await cluster.Job("left").Submit(Specs.Lasting("else"))).Result);
        Assert.Equal(SubmitResult.AlreadyThere, (await cluster.Job("left").Submit(submission)).Result);
        report = await Eventually.Is(() => cluster.Job("left").Status(), r => r?.Phase == JobPhase.Completed);
        // Whether a first one had begun before the record was lost, nobody knows.
        Assert.Equal(2, report!.Generation.Value);
    }

    [Fact]
    public async Task FolderOfAnotherCluster_IsNotTouched()
    {
        journals.Folders["theirs"] = new KeptJob("other", null);
        Assert.Null(await cluster.Job("theirs").Status());
        Assert.Null(await cluster.Job("theirs").Delete(Callers.Admin));
        var outcome = await cluster.Job("theirs").Submit(Specs.Lasting());
        Assert.Equal(
            (SubmitResult.IdTaken, "The folder theirs under the jobs root belongs to a job of cluster 'other'; choose another id."),
            (outcome.Result, outcome.Message));
        Assert.Equal(new KeptJob("other", null), journals.Folders["theirs"]);
    }

    [Fact]
    public async Task Submitted_IsWrittenIntoItsFolder()
    {
        await cluster.Job("new").Submit(Specs.Lasting());
        Assert.Equal(Specs.Lasting(), journals.Folders["new"].Submission);
        await cluster.Watch("new");
    }

    [Fact]
    public async Task SiloThatLacksAFile_IsPassedOverAndShown_AndTheJobCompletesElsewhere()
    {
        string? broken = null;
        cluster.Scripts.Of("picky").Fault = silo => silo == Interlocked.CompareExchange(ref broken, silo, null) || broken == silo
            ? new JobError(ErrorCodes.PathMissing, "data.path: /data/t does not exist", null, silo, null, null) : null;
        await cluster.Job("picky").Submit(Specs.Lasting());
        var events = (await cluster.Watch("picky")).Select(e => JobEventJson.Read(e)!).ToList();
        Assert.IsType<CompletedEvent>(events[^1]);
        Assert.Contains(events, e => e is WarningEvent w
            && w.Message.StartsWith($"Silo {broken}: data.path: /data/t does not exist.", StringComparison.Ordinal));
        Assert.Equal(
            $"silo {broken} could not run it", Assert.IsType<GenerationEvent>(Assert.Single(events, e => e is GenerationEvent)).Reason);
        var shown = (await Queue.Describe()).Silos.Single(s => s.Name == broken);
        Assert.Contains("passed over until", shown.Fault, StringComparison.Ordinal);
        Assert.All((await Queue.Describe()).Silos.Where(s => s.Name != broken), s => Assert.Null(s.Fault));
    }

    [Fact]
    public async Task WhatFailsOnEverySilo_FailsTheJob()
    {
        cluster.Scripts.Of("nowhere").Fault = silo => new JobError(ErrorCodes.Storage, "disk full", null, silo, null, null);
        await cluster.Job("nowhere").Submit(Specs.Lasting());
        var failed = Assert.IsType<FailedEvent>(JobEventJson.Read((await cluster.Watch("nowhere"))[^1]));
        Assert.Matches(@"^Silo .+: disk full\. The same or the like on all other silos \(.+\)\.$", failed.Error.Message);
    }

    [Fact]
    public async Task FileThatNoSiloHas_FailsTheJobWithoutTryingTheOthers()
    {
        var script = cluster.Scripts.Of("nowhere");
        script.Fault = silo => new JobError(ErrorCodes.PathMissing, "data.path: /data/t does not exist", null, silo, null, null);
        script.Lacks = silo => $"not on {silo}";
        await cluster.Job("nowhere").Submit(Specs.Lasting());
        var events = (await cluster.Watch("nowhere")).Select(e => JobEventJson.Read(e)!).ToList();
        Assert.Matches(@"^Silo .+ The same or the like on all other silos \(.+\)\.$", Assert.IsType<FailedEvent>(events[^1]).Error.Message);
        Assert.Equal(1, (await cluster.Job("nowhere").Status())!.Generation.Value);
        Assert.DoesNotContain(events, e => e is GenerationEvent);
    }
}
