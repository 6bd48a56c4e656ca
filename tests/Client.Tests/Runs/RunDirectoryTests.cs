using Distributed.Client.Following;
using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Testing;

namespace Distributed.Client.Tests.Runs;

public sealed class RunDirectoryTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private void Check(string? runDirectory, bool resume, string? checkpointPath = null)
    {
        TrainOptions options = new() { File = "job.yaml", Out = runDirectory, Resume = resume };
        RunDirectory.Check(Plan(options, checkpointPath), options, ownCheckpoints: checkpointPath is null);
    }

    private TrainPlan Plan(TrainOptions options, string? checkpointPath = null) => TrainPlan.Make(
        options,
        new()
        {
            Name = "job",
            Model = ModelSpec.Of(new SimpleCnnOptions()),
            Data = DataSpec.Of(new ShapesOptions()),
            GlobalBatch = 8,
            MicroBatch = 8,
            Steps = 1,
            Checkpoint = new() { Path = checkpointPath },
        },
        cores: 1, directory.Path, "x1");

    private string WithCheckpoint(string run)
    {
        Directory.CreateDirectory(directory.File($"{run}/checkpoints/step-0000000001"));
        return directory.File(run);
    }

    [Fact]
    public void Check_FreshRun_Passes() => Check(null, resume: false);

    [Fact]
    public void Check_CheckpointsThere_NeedResume()
    {
        var run = WithCheckpoint("a");
        var failure = Assert.Throws<CommandFailure>(() => Check(run, resume: false));
        Assert.Equal(2, failure.ExitCode);
        Assert.Contains("--resume", failure.Message, StringComparison.Ordinal);
        Check(run, resume: true);
    }

    [Fact]
    public void Check_CheckpointPathOfTheJobNotEmpty_NeedsResume()
    {
        var path = directory.File("store");
        Directory.CreateDirectory(path);
        Check(null, resume: false, path);
        File.WriteAllText(Path.Combine(path, "latest"), "");
        Assert.Contains(
            "is not empty", Assert.Throws<CommandFailure>(() => Check(null, resume: false, path)).Message, StringComparison.Ordinal);
        Check(null, resume: true, path);
    }

    [Fact]
    public void Check_OldRunWithOtherCheckpointPath_IsNotOverwritten() =>
        Assert.Throws<CommandFailure>(() => Check(WithCheckpoint("a"), resume: false, directory.File("store")));

    [Fact]
    public void Check_ResumeWithoutAnEarlierRun_IsRefused()
    {
        Assert.Contains("give --out", Assert.Throws<CommandFailure>(() => Check(null, resume: true)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "does not exist", Assert.Throws<CommandFailure>(() => Check(directory.File("b"), resume: true)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Check_FileInTheWay_IsRefused() =>
        Assert.Contains(
            "is a file", Assert.Throws<CommandFailure>(() => Check(directory.Write("f", ""), resume: false)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Create_WritesJobAndEnvironment_AndKeepsEventsOnlyWhenResuming()
    {
        var plan = Plan(new() { File = "job.yaml", Out = "run" });
        var environment = RunEnvironment.Take(plan, TimeProvider.System);
        var run = RunDirectory.Create(plan, resume: false, environment);
        Assert.Contains("\"name\": \"job\"", File.ReadAllText(Path.Combine(run.Path, "job.json")), StringComparison.Ordinal);
        Assert.Contains(
            $"\"cores\": {Environment.ProcessorCount}", File.ReadAllText(Path.Combine(run.Path, "environment.json")),
            StringComparison.Ordinal);
        File.WriteAllText(run.EventsPath, "{}\n");
        Assert.True(File.Exists(RunDirectory.Create(plan, resume: true, environment).EventsPath));
        Assert.False(File.Exists(RunDirectory.Create(plan, resume: false, environment).EventsPath));
    }

    [Fact]
    public void Record_AfterHalfALine_StartsAWholeOne()
    {
        var path = directory.Write("events.jsonl", "{\"a\":1}\n{\"b\":");
        using (EventRecorder recorder = new(path, output: null, () => Assert.Fail("stdout is lost"))) recorder.Record("{\"c\":3}");
        Assert.Equal("{\"a\":1}\n{\"c\":3}\n", File.ReadAllText(path));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(32)]
    public void Record_TerminalIsGone_SaysSoOnceAndTheFileGoesOn(int error)
    {
        var path = directory.File("events.jsonl");
        var lost = 0;
        using (EventRecorder recorder = new(path, new GoneWriter(error), () => lost++))
        {
            recorder.Record("{\"a\":1}");
            recorder.Record("{\"b\":2}");
        }

        Assert.Equal(1, lost);
        Assert.Equal("{\"a\":1}\n{\"b\":2}\n", File.ReadAllText(path));
    }

    [Fact]
    public void Record_DiskOfStdoutIsFull_Fails()
    {
        using EventRecorder recorder = new(directory.File("events.jsonl"), new GoneWriter(28), () => Assert.Fail("stdout is not lost"));
        Assert.Throws<IOException>(() => recorder.Record("{}"));
    }

    private sealed class GoneWriter(int error) : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("gone", error);
    }
}
