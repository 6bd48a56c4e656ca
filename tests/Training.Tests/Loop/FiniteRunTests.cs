using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Testing.Training;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>
/// A run whose weights, moments or evaluation are not finite is no success, and says so in one way on any number of ranks.
/// </summary>
public sealed class FiniteRunTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-finite-").FullName;

    private string Checkpoints => Path.Combine(directory, "checkpoints");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData(JobPrecision.Float32)]
    [InlineData(JobPrecision.MixedBFloat16)]
    [InlineData(JobPrecision.MixedFloat16)]
    public void Train_RateThatRuinsTheWeights_FailsAlikeOnAnyRanks(JobPrecision precision)
    {
        var job = Job(scale: 1) with { Precision = precision, Steps = 6, Optimizer = OptimizerSpec.Of(new SgdOptions { Lr = 1e30 }) };
        var (one, two) = (TrainingHarness.Run(job, 1), TrainingHarness.Run(job, 2));

        Assert.Equal("non-finite", one.Error!.Code);
        Assert.Contains(
            "5 of 6 steps skipped, more than the share of lossScale.maxSkippedShare, 0.5", one.Error.Message, StringComparison.Ordinal);
        Assert.Contains("since step 2 the gradient of 'fc1.weight'", one.Error.Message, StringComparison.Ordinal);
        Assert.Equal((one.Error.Message, one.Error.Step), (two.Error!.Message, two.Error.Step));
        Assert.Contains("Step 2 was skipped", Assert.Single(one.Events.OfType<WarningEvent>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_LastUpdateBeyondFloat32_IsNoSuccessAndLeavesNoCheckpoint()
    {
        // Inputs of 1e6 make gradients that times 3e38 leave float32.
        var job = Job(scale: 1e6f) with { Steps = 1, Optimizer = OptimizerSpec.Of(new SgdOptions { Lr = 3e38 }) };
        foreach (var ranks in (int[])[1, 2])
        {
            var run = TrainingHarness.Run(job, ranks, Path.Combine(directory, $"{ranks}"));
            Assert.Equal("non-finite", run.Error!.Code);
            Assert.Contains("After step 1 the weights of 'fc1.weight' are no longer finite", run.Error.Message, StringComparison.Ordinal);
            Assert.Empty(Directory.GetDirectories(Path.Combine(directory, $"{ranks}"), "step-*"));
        }
    }

    [Fact]
    public void Train_SquaresBeyondFloat32_AreNamedAsMoments()
    {
        var run = TrainingHarness.Run(
            Job(scale: 1e25f) with { Steps = 1, Optimizer = OptimizerSpec.Of(new AdamWOptions { Lr = 1e-3 }) }, 1);
        Assert.Contains(
            "After step 1 the moments exp_avg_sq of 'fc1.weight' are no longer finite", run.Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_EvaluationThatIsNotFinite_FailsWithTheWeightsKept()
    {
        var job = TrainingHarness.Shapes() with { Steps = 1, Optimizer = OptimizerSpec.Of(new SgdOptions { Lr = 1e25 }) };
        var run = TrainingHarness.Run(job, 2, directory);

        Assert.Equal("non-finite", run.Error!.Code);
        Assert.Contains("The evaluation after the last step, 1, gives loss", run.Error.Message, StringComparison.Ordinal);
        var kept = Assert.Single(run.Events.OfType<CheckpointEvent>()).Path;
        Assert.Contains(kept, run.Error.Message, StringComparison.Ordinal);
        Assert.Empty(run.Events.OfType<CompletedEvent>());
        Assert.Equal(run.Error.Message, TrainingHarness.Run(job, 1, directory, resume: true).Error!.Message);
    }

    [Fact]
    public void Train_SpoiledSamplesThatAreAllowed_CompletesWithWarnings()
    {
        var job = Job(scale: 1, x => x[(5 * 4) + 2] = float.NaN);
        Assert.Equal("data-invalid", TrainingHarness.Run(job, 1).Error!.Code);

        var allowed = job with { Data = job.Data with { Options = new TensorsOptions { AllowNonFinite = true } } };
        var run = TrainingHarness.Run(allowed, 1);
        Assert.Equal(3, run.Completed.SkippedSteps);
        var warnings = run.Events.OfType<WarningEvent>().Select(w => w.Message).ToList();
        Assert.Equal(2, warnings.Count);
        Assert.StartsWith("Step 2 was skipped: the gradient of 'fc1.weight'", warnings[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "3 of 6 steps were skipped, 3 of them not because of the loss scale, first in step 2", warnings[1], StringComparison.Ordinal);

        var strict = allowed with { LossScale = new LossScaleSpec { Policy = "static", Init = 1, MaxSkippedShare = 0.4 } };
        Assert.Contains(
            "3 of 6 steps skipped, more than the share of lossScale.maxSkippedShare, 0.4", TrainingHarness.Run(strict, 2).Error!.Message,
            StringComparison.Ordinal);

        // A resumed run counts on from the checkpoint, and does not warn of the first one again.
        TrainingHarness.Run(strict, 2, Checkpoints, stopAt: 3);
        var resumed = TrainingHarness.Run(strict, 1, Checkpoints, resume: true);
        Assert.Contains("3 of 6 steps skipped", resumed.Error!.Message, StringComparison.Ordinal);
        Assert.Empty(resumed.Events.OfType<WarningEvent>());
    }

    [Fact]
    public void Train_SearchForAScale_IsNoWarning()
    {
        var run = TrainingHarness.Run(Job(scale: 1000) with { Steps = 20, LossScale = new LossScaleSpec { Init = 3e38 } }, 2);
        Assert.True(run.Completed.SkippedSteps > 3, $"{run.Completed.SkippedSteps} skipped");
        Assert.Empty(run.Events.OfType<WarningEvent>());
    }

    [Theory]
    [InlineData(CheckpointFiles.Model, "fc1.weight")]
    [InlineData(CheckpointFiles.Optimizer, "exp_avg.fc1.weight")]
    public void Resume_CheckpointThatIsNotFinite_IsRefusedWithTheTensor(string file, string tensor)
    {
        var job = Job(scale: 1);
        var path = TrainingHarness.Run(job, 1, Checkpoints, stopAt: 2).Events.OfType<StoppedEvent>().Single().Checkpoint!;
        Spoil(path, file, tensor);
        var error = TrainingHarness.Run(job, 1, Checkpoints, resume: true).Error!;

        Assert.Equal("checkpoint-invalid", error.Code);
        Assert.Contains($"tensor \"{tensor}\", position [0, 1]: NaN, expected a finite number", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Writes the checkpoint anew, whole by its manifest.</summary>
    private void Spoil(string path, string file, string tensor)
    {
        var files = Directory.GetFiles(path).Where(f => Path.GetFileName(f) != CheckpointFiles.Manifest)
            .ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes);
        long offset;
        using (var read = SafetensorsFile.Open(Path.Combine(path, file)))
            offset = files[file].Length - read.Tensors.Sum(t => t.Bytes) + read.Find(tensor)!.Offset;
        BitConverter.TryWriteBytes(files[file].AsSpan((int)offset + 4), float.NaN);
        Directory.Delete(path, recursive: true);
        using var writer = new CheckpointStore(Checkpoints).Begin(2);
        foreach (var (name, bytes) in files) writer.WriteFile(name, stream => stream.Write(bytes));
        writer.Commit();
    }

    private JobSpec Job(float scale, Action<float[]>? spoil = null)
    {
        var x = Enumerable.Range(0, 32).Select(i => (((i * 37) % 19) - 9) / 10f * scale).ToArray();
        spoil?.Invoke(x);
        var y = Enumerable.Range(0, 8).Select(i => i % 3L).ToArray();
        var path = Path.Combine(directory, $"{Guid.NewGuid():N}.safetensors");
        using (var stream = File.Create(path))
            SafetensorsWriter.Write(
                stream, [new("x", TensorDtype.F32, new([8, 4])), new("y", TensorDtype.I64, new([8]))], null, (i, target) =>
                    target.Write(i == 0 ? MemoryMarshal.AsBytes(x.AsSpan()) : MemoryMarshal.AsBytes(y.AsSpan())));
        return new JobSpec
        {
            Name = "finite",
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([4, 5, 3]) }),
            Data = DataSpec.Of(new TensorsOptions(), path),
            GlobalBatch = 4,
            MicroBatch = 2,
            Steps = 6,
            Shuffle = false,
        };
    }
}
