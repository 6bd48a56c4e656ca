using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Schedules;
using Distributed.Core.Spec;
using Distributed.Testing.Training;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>
/// One decision for all: a step whose reduced gradient is not finite is skipped everywhere and moves nothing but scale,
/// tracker and counters.
/// </summary>
public sealed class OverflowTests : IDisposable
{
    private const int Width = 12;
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-overflow-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Step_InfInOneMicroBatchOfEight_IsSkippedByAll(int ranks)
    {
        // 16 samples, 8 a step: sample 13 sits in micro-batch 5 of every second step.
        var job = Job(x => x[(13 * Width) + 4] = float.PositiveInfinity) with
        {
            Steps = 4,
            LossScale = new LossScaleSpec { Init = 1024, Interval = 3 },
        };
        var steps = TrainingHarness.Run(job, ranks).Steps;
        Assert.Equal([false, true, false, true], steps.Select(s => s.Skipped));
        Assert.Equal([1, 1, 2, 2], steps.Select(s => s.Updates));
        Assert.Equal([1024.0, 512, 512, 256], steps.Select(s => s.LossScale));
        Assert.Equal([1, 0, 1, 0], steps.Select(s => s.GrowthTracker));
        Assert.Equal([null, "fc1.weight", null, "fc1.weight"], steps.Select(s => s.NonFinite));
    }

    [Fact]
    public void Step_Skipped_LeavesWeightsAndMomentsBitwiseAlone()
    {
        var job =
            Job(x => x[(13 * Width) + 4] = float.NaN) with { Steps = 1, Schedule = ScheduleSpec.Of(new LinearOptions { WarmupSteps = 2 }) };
        var before = Path.Combine(directory, "before");
        var after = Path.Combine(directory, "after");
        var one = TrainingHarness.Run(job, 2, before).Completed;
        var two = TrainingHarness.Run(job with { Steps = 2 }, 2, after);
        Assert.True(two.Steps[1].Skipped);
        foreach (var file in (string[])[CheckpointFiles.Model, CheckpointFiles.Optimizer])
            Assert.Equal(
                File.ReadAllBytes(Path.Combine(one.Checkpoint, file)), File.ReadAllBytes(Path.Combine(two.Completed.Checkpoint, file)));
        Assert.Equal(1, two.Completed.SkippedSteps);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Step_EveryPartialFiniteOnlyTheSumNot_IsSkipped(int ranks)
    {
        // All samples alike: the bias gradient of each is about -0.7 x 2.5e38, a finite number; the sum of eight is not.
        var job = Job(_ => { }, alike: true) with { Steps = 8, LossScale = new LossScaleSpec { Init = 2.5e38 } };
        var steps = TrainingHarness.Run(job, ranks).Steps;
        Assert.True(steps[0].Skipped);
        Assert.False(steps[^1].Skipped);
        Assert.False(TrainingHarness.Run(job with { GlobalBatch = 1, Steps = 1 }, 1).Steps[0].Skipped);
        Assert.Equal(TrainingHarness.Run(job, 2).Hash, TrainingHarness.Run(job, ranks).Hash);
    }

    [Fact]
    public void Train_NeverFinite_StopsNamingParameterAndRemedy()
    {
        var job = Job(x => x.AsSpan().Fill(float.NaN)) with { Steps = 50, LossScale = new LossScaleSpec { MaxConsecutiveSkips = 7 } };
        var run = TrainingHarness.Run(job, 3);
        Assert.Equal("non-finite", run.Error!.Code);
        Assert.Contains("fc1.weight", run.Error.Message, StringComparison.Ordinal);
        Assert.Equal(7, run.Error.Step);
        Assert.Equal(6, run.Steps.Count);
        Assert.All(run.Results, r => Assert.NotNull(r.Error));
    }

    [Fact]
    public void Train_Float16ScaleTooLarge_BacksOffThenLearns()
    {
        var job = Job(_ => { }) with
        {
            Precision = JobPrecision.MixedFloat16,
            Steps = 30,
            LossScale = new LossScaleSpec { Init = 1e12, Interval = 5 },
        };
        var one = TrainingHarness.Run(job, 1);
        var three = TrainingHarness.Run(job, 3);
        Assert.True(one.Steps[0].Skipped);
        Assert.False(one.Steps[^1].Skipped && one.Steps[^2].Skipped);
        Assert.Equal(one.Hash, three.Hash);
        Assert.Equal(
            one.Steps.Select(s => (s.Skipped, s.LossScale, s.GrowthTracker)),
            three.Steps.Select(s => (s.Skipped, s.LossScale, s.GrowthTracker)));
    }

    private JobSpec Job(Action<float[]> spoil, bool alike = false)
    {
        var x = new float[16 * Width];
        for (var i = 0; i < x.Length; i++) x[i] = alike ? 1 : (((i * 37) % 19) - 9) / 10f;
        spoil(x);
        var y = Enumerable.Range(0, 16).Select(i => alike ? 0L : i % 4).ToArray();
        var path = Path.Combine(directory, $"{Guid.NewGuid():N}.safetensors");
        using (var stream = File.Create(path))
            SafetensorsWriter.Write(
                stream, [new("x", TensorDtype.F32, new([16, Width])), new("y", TensorDtype.I64, new([16]))], null, (i, target) =>
                    target.Write(i == 0 ? MemoryMarshal.AsBytes(x.AsSpan()) : MemoryMarshal.AsBytes(y.AsSpan())));
        return new JobSpec
        {
            Name = "overflow",
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([Width, 8, 4]) }),
            Data = DataSpec.Of(new TensorsOptions { AllowNonFinite = true }, path),
            GlobalBatch = 8,
            MicroBatch = 1,
            Shuffle = false,
            Steps = 4,
            Optimizer = OptimizerSpec.Of(new AdamWOptions { Lr = 0.01, WeightDecay = 0.1 }),
        };
    }
}
