using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Schedules;
using Distributed.Core.Spec;
using Distributed.Testing.Training;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>A resumed run is bitwise the run that never stopped, at any number of ranks.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-resume-").FullName;

    private static JobSpec Job => TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
    {
        Steps = 7,
        Model = ModelSpec.Of(new SimpleCnnOptions { Dropout = 0.2 }),
        Augment = new AugmentSpec { Flip = true, Crop = 2 },
        Schedule = ScheduleSpec.Of(new CosineOptions { WarmupSteps = 3 }),
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
        Assert.Equal(
            straight.Steps.Skip(4).Select(s => (s.Step, s.Loss, s.LossScale, s.Updates)),
            resumed.Steps.Select(s => (s.Step, s.Loss, s.LossScale, s.Updates)));
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
    public void Resume_OverOtherData_IsRefusedWithBothValues()
    {
        var text = Path.Combine(directory, "text");
        var checkpoints = Path.Combine(directory, "run");
        var job = TrainingHarness.Shapes() with
        {
            Model = ModelSpec.Of(new TransformerOptions { Width = 4, Layers = 1, Heads = 1, Vocab = 256, Sequence = 4 }),
            Data = DataSpec.Of(new TextOptions(), text),
        };
        File.WriteAllText(text, new string('a', 1000));
        var first = TrainingHarness.Run(job, 1, checkpoints, stopAt: 2);
        var read = Assert.Single(first.Events.OfType<DataEvent>()).Data;
        Assert.Equal((180L, 20L, 256), (read.Train, read.Test, read.Vocabulary));

        File.WriteAllText(text, new string('a', 999) + "b");
        var error = TrainingHarness.Run(job, 1, checkpoints, resume: true).Error!;
        Assert.Equal("resume-mismatch", error.Code);
        Assert.Contains($"{read} in the checkpoint", error.Message, StringComparison.Ordinal);

        Assert.Null(TrainingHarness.Run(job, 1, WithoutData(first.Events.OfType<StoppedEvent>().Single().Checkpoint!), resume: true).Error);
    }

    /// <summary>The same checkpoint as one of the versions that did not note their data.</summary>
    private string WithoutData(string checkpoint)
    {
        var place = Path.Combine(directory, "old");
        var snapshot = TrainingStateFile.Read(Path.Combine(checkpoint, CheckpointFiles.State));
        using var writer = new CheckpointStore(place, 3).Begin(snapshot.State.Step);
        foreach (var name in new[] { CheckpointFiles.Model, CheckpointFiles.Optimizer })
            writer.WriteFile(name, stream => stream.Write(File.ReadAllBytes(Path.Combine(checkpoint, name))));
        writer.WriteFile(CheckpointFiles.State, stream => TrainingStateFile.Write(stream, snapshot with { Data = null }));
        writer.Commit();
        return place;
    }

    [Fact]
    public void Start_WhereCheckpointsLie_IsRefused()
    {
        TrainingHarness.Run(Job, 1, directory, stopAt: 1);
        Assert.Equal("checkpoint-exists", TrainingHarness.Run(Job, 1, directory).Error!.Code);
    }
}
