using Distributed.Core.Events;
using Distributed.Core.Jobs;
using JobPrecision = Distributed.Core.Jobs.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>A resumed run is bitwise the run that never stopped, at any number of ranks.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-resume-").FullName;

    private static JobSpec Job => TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
    {
        Steps = 7,
        Model = new ModelSpec { Name = "simple-cnn", Dropout = 0.2 },
        Augment = new AugmentSpec { Flip = true, Crop = 2 },
        Schedule = new ScheduleSpec { Name = "cosine", WarmupSteps = 3 },
        LossScale = new LossScaleSpec { Init = 3e38, Interval = 2 },
        ClipNorm = 1,
    };

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(1, 3)]
    [InlineData(4, 2)]
    public void Resume_AtAnotherWorldSize_IsBitwiseTheStraightRun(int before, int after)
    {
        var straight = TrainingHarness.Run(Job, 2);
        var stopped = TrainingHarness.Run(Job, before, directory, stopAt: 4);
        Assert.Equal(4, Assert.Single(stopped.Events.OfType<StoppedEvent>()).Step);
        var resumed = TrainingHarness.Run(Job, after, directory, resume: true);
        Assert.Equal(straight.Hash, resumed.Hash);
        Assert.Equal(straight.Steps.Skip(4).Select(s => (s.Step, s.Loss, s.LossScale, s.Updates)), resumed.Steps.Select(s => (s.Step, s.Loss, s.LossScale, s.Updates)));
    }

    [Fact]
    public void Resume_DamagedLatest_FallsBackWithAWarning()
    {
        var job = Job with { Checkpoint = new CheckpointSpec { EverySteps = 2 } };
        TrainingHarness.Run(job, 2, directory, stopAt: 4);
        var weights = Directory.GetFiles(directory, "model.safetensors", SearchOption.AllDirectories).Order().Last();
        var bytes = File.ReadAllBytes(weights);
        bytes[^10] ^= 1;
        File.WriteAllBytes(weights, bytes);
        var resumed = TrainingHarness.Run(job, 1, directory, resume: true);
        Assert.Contains(weights, Assert.Single(resumed.Events.OfType<WarningEvent>()).Message, StringComparison.Ordinal);
        Assert.Equal(3, resumed.Steps[0].Step);
        Assert.Equal(TrainingHarness.Run(Job, 2).Hash, resumed.Hash);
    }

    [Fact]
    public void Resume_StopAtAStepAlreadyDone_StopsThere()
    {
        TrainingHarness.Run(Job, 2, directory, stopAt: 4);
        var again = TrainingHarness.Run(Job, 2, directory, resume: true, stopAt: 4);
        Assert.Empty(again.Steps);
        Assert.Equal(4, Assert.Single(again.Events.OfType<StoppedEvent>()).Step);
    }

    [Fact]
    public void Resume_NoWholeCheckpointLeft_IsRefused()
    {
        var path = TrainingHarness.Run(Job, 1, directory, stopAt: 2).Events.OfType<StoppedEvent>().Single().Checkpoint!;
        File.WriteAllText(Path.Combine(path, "state.json"), "{}");
        var resumed = TrainingHarness.Run(Job, 1, directory, resume: true);
        Assert.Equal("checkpoint-invalid", resumed.Error!.Code);
        Assert.Contains(directory, resumed.Error.Message, StringComparison.Ordinal);
        Assert.Empty(resumed.Steps);
    }

    [Fact]
    public void Resume_AnotherJob_IsRefusedAndShown()
    {
        TrainingHarness.Run(Job, 1, directory, stopAt: 2);
        var error = TrainingHarness.Run(Job with { Seed = 8, Steps = 9 }, 1, directory, resume: true).Error!;
        Assert.Equal("resume-mismatch", error.Code);
        Assert.Contains("seed", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("steps:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_WhereCheckpointsLie_IsRefused()
    {
        TrainingHarness.Run(Job, 1, directory, stopAt: 1);
        Assert.Equal("checkpoint-exists", TrainingHarness.Run(Job, 1, directory).Error!.Code);
    }
}
