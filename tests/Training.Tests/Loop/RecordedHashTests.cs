using Distributed.Core.DataSets;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Schedules;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Testing;
using Distributed.Testing.Training;
using Distributed.Training.Tests.Data;
using Distributed.Training.Tests.Exchange;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>
/// Refactoring changes no bit: the weights of these jobs were recorded, for each kind of processor apart, and stay as they are.
/// </summary>
/// <remarks>
/// A release that means to change bits says so and records them anew: <c>DTRAIN_RECORD_HASHES=1</c> adds what is missing for this machine.
/// </remarks>
public sealed class RecordedHashTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static TheoryData<string> Cases => [.. Jobs.Keys];

    private static readonly Dictionary<string, JobSpec> Jobs = new()
    {
        ["simple-cnn float32, augmented, dropout, clipped"] = TrainingHarness.Shapes() with
        {
            Model = ModelSpec.Of(new SimpleCnnOptions { Dropout = 0.3 }),
            Augment = new AugmentSpec { Flip = true, Crop = 4 },
            ClipNorm = 0.3,
        },
        ["simple-cnn bfloat16, overflow, nesterov"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 24,
            MicroBatch = 2,
            LossScale = new LossScaleSpec { Init = 1e38 },
            Optimizer = OptimizerSpec.Of(new SgdOptions { Lr = 0.05, Momentum = 0.9, Nesterov = true }),
        },
        ["simple-cnn float16"] = TrainingHarness.Shapes(JobPrecision.MixedFloat16) with { Steps = 1 },
        ["mlp float32, cosine"] = Mlp(JobPrecision.Float32) with { Schedule = ScheduleSpec.Of(new CosineOptions { WarmupSteps = 2 }) },
        ["mlp bfloat16, clipped"] = Mlp(JobPrecision.MixedBFloat16) with { ClipNorm = 0.5 },
        ["mlp float16, overflow"] = Mlp(JobPrecision.MixedFloat16) with
        {
            LossScale = new LossScaleSpec { Init = 1e8, Interval = 2, MaxConsecutiveSkips = 50 },
            Steps = 9,
        },
        ["transformer float32, dropout"] = Transformer(JobPrecision.Float32),
        ["transformer bfloat16, dropout"] = Transformer(JobPrecision.MixedBFloat16),
        ["transformer float16, dropout"] = Transformer(JobPrecision.MixedFloat16) with { Steps = 2 },
        ["sentiment-lstm float32, dropout"] = Lstm(JobPrecision.Float32),
        ["sentiment-lstm bfloat16, dropout"] = Lstm(JobPrecision.MixedBFloat16),
        // In float16 the recurrent product is refused on a CPU; the twelfth job scales the loss all the same.
        ["sentiment-lstm float32, scaled, sgd"] = Lstm(JobPrecision.Float32) with
        {
            LossScale = new LossScaleSpec { Policy = "megatron", Init = 4096, Interval = 2, Hysteresis = 2 },
            Optimizer = OptimizerSpec.Of(new SgdOptions { Lr = 0.1, Momentum = 0.9 }),
        },
    };

    public void Dispose() => directory.Dispose();

    [RecordedTheory]
    [MemberData(nameof(Cases))]
    public void Train_TwoRanks_GivesTheRecordedWeights(string name) =>
        RecordedHashes.Check(name, TrainingHarness.Run(WithData(Jobs[name]), 2).Hash, records: true);

    [RecordedTheory]
    [InlineData("mlp float16, overflow")]
    [InlineData("transformer bfloat16, dropout")]
    public void Train_ThreeRanksOnTwoSilos_GivesTheRecordedWeights(string name) =>
        RecordedHashes.Check(name, SiloHarness.Run(WithData(Jobs[name]), [2, 1]).Hash);

    [RecordedTheory]
    [InlineData("simple-cnn bfloat16, overflow, nesterov")]
    [InlineData("sentiment-lstm float32, dropout")]
    public void Resume_AtAnotherWorldSize_GivesTheRecordedWeights(string name)
    {
        var job = WithData(Jobs[name]);
        var checkpoints = directory.File("checkpoints");
        Assert.Null(TrainingHarness.Run(job, 3, checkpoints, stopAt: 2).Error);
        RecordedHashes.Check(name, TrainingHarness.Run(job, 1, checkpoints, resume: true).Hash);
    }

    private static JobSpec Mlp(JobPrecision precision) => TrainingHarness.Shapes(precision) with
    {
        Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 96, 40, 10]), Dropout = 0.2 }),
    };

    private static JobSpec Transformer(JobPrecision precision) => TrainingHarness.Shapes(precision) with
    {
        Model = ModelSpec.Of(new TransformerOptions { Width = 24, Layers = 2, Heads = 3, Vocab = 64, Sequence = 16, Dropout = 0.2 }),
        Data = DataSpec.Of(new TextOptions { Length = 12 }),
    };

    private static JobSpec Lstm(JobPrecision precision) => TrainingHarness.Shapes(precision) with
    {
        Model = ModelSpec.Of(new SentimentLstmOptions { Vocab = 30, Embedding = 12, Hidden = 16, Dropout = 0.2 }),
        Data = DataSpec.Of(new ImdbOptions { Length = 9 }),
        GlobalBatch = 12,
    };

    private JobSpec WithData(JobSpec job) => job.Data.Name switch
    {
        "text" => job with { Data = job.Data with { Path = WriteText() } },
        "imdb" => job with { Data = job.Data with { Path = WriteReviews() } },
        _ => job,
    };

    private string WriteText()
    {
        var path = directory.File("text.txt");
        File.WriteAllBytes(path, [.. Enumerable.Range(0, 100 * 13).Select(i => (byte)(i * i % 61))]);
        return path;
    }

    private string WriteReviews()
    {
        var root = directory.File("aclImdb");
        for (var i = 0; i < 60; i++)
        {
            var folder = Path.Combine(root, i < 48 ? "train" : "test", i % 2 == 0 ? "pos" : "neg");
            Directory.CreateDirectory(folder);
            File.WriteAllText(
                Path.Combine(folder, $"{i}_{(i % 2 == 0 ? 9 : 2)}.txt"),
                string.Join(' ', Enumerable.Range(0, 5 + i % 7).Select(word => $"word{i * word % 37}")));
        }
        return root;
    }
}
