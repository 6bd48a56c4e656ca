using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Testing;
using Distributed.Testing.Training;
using Distributed.Training.Tests.Data;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>The first promise: final weights are a function of the job alone.</summary>
public sealed class WorldSizeTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static TheoryData<string> Cases => [.. Jobs.Keys];

    private static readonly Dictionary<string, JobSpec> Jobs = new()
    {
        ["float32 V=8"] = TrainingHarness.Shapes(),
        ["bfloat16 V=8"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16),
        ["float16 V=8"] = TrainingHarness.Shapes(JobPrecision.MixedFloat16) with { Steps = 1 },
        ["float32 V=12 clipped, dropout, augmented"] = TrainingHarness.Shapes() with
        {
            GlobalBatch = 24,
            MicroBatch = 2,
            ClipNorm = 0.3,
            Model = ModelSpec.Of(new SimpleCnnOptions { Dropout = 0.4 }),
            Augment = new AugmentSpec { Flip = true, Crop = 4 },
        },
        ["bfloat16 V=12 sgd, overflow on the way"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 36,
            MicroBatch = 3,
            LossScale = new LossScaleSpec { Init = 1e38 },
            Optimizer = OptimizerSpec.Of(new SgdOptions { Lr = 0.05, Momentum = 0.9, Nesterov = true }),
        },
        ["mlp bfloat16 V=5"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 35,
            MicroBatch = 7,
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 96, 40, 10]), Dropout = 0.1 }),
        },
        // Wide enough for products that oneDNN computes where the processor asks for it.
        ["mlp float32 V=5, wide"] = TrainingHarness.Shapes() with
        {
            Steps = 3,
            GlobalBatch = 85,
            MicroBatch = 17,
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 600, 10]) }),
        },
        ["transformer float32 V=8"] = Text(JobPrecision.Float32),
        ["transformer float16 V=8"] = Text(JobPrecision.MixedFloat16) with { Steps = 2 },
        ["transformer bfloat16 V=12 clipped, dropout"] = Text(JobPrecision.MixedBFloat16, dropout: 0.2) with
        {
            GlobalBatch = 36,
            MicroBatch = 3,
            ClipNorm = 0.3,
        },
    };

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_OneToFourRanks_WeightsAreBitwiseEqual(string name)
    {
        var job = Jobs[name].Data.Name == "text" ? WithText(Jobs[name]) : Jobs[name];
        var hashes = Enumerable.Range(1, 4).Select(ranks => TrainingHarness.Run(job, ranks).Hash).ToArray();
        Assert.All(hashes, hash => Assert.Equal(hashes[0], hash));
        Assert.Equal(hashes[0], TrainingHarness.Run(job, 2).Hash);
        // Another job must not give the same weights: the hash is of something.
        Assert.NotEqual(hashes[0], TrainingHarness.Run(job with { Seed = 4 }, 2).Hash);
    }

    [Fact]
    public void Evaluate_OneToFourRanks_MetricsAreEqualAndCountTokens()
    {
        var job = WithText(Text(JobPrecision.Float32));
        var metrics = Enumerable.Range(1, 4).Select(ranks => TrainingHarness.Run(job, ranks).Events.OfType<EvalEvent>().Single().Metrics)
            .ToArray();
        Assert.All(metrics, m => Assert.Equal(metrics[0], m));
        // 10 held-out samples of 12 tokens: a share of 120.
        var right = metrics[0]["accuracy"] * 120;
        Assert.Equal(Math.Round(right), right, 9);
        Assert.InRange(right, 1, 119);
        Assert.InRange(metrics[0]["loss"], 1, 6);
    }

    [Fact]
    public void Train_ShortLastBatch_IsKept()
    {
        var steps = TrainingHarness.Run(TrainingHarness.Shapes() with { Steps = 3 }, 3).Steps;
        Assert.Equal([32, 32, 26], steps.Select(s => s.Items));
        Assert.Equal([0, 0, 0], steps.Select(s => s.Epoch));
    }

    private static JobSpec Text(JobPrecision precision, double dropout = 0) => TrainingHarness.Shapes(precision) with
    {
        Model = ModelSpec.Of(new TransformerOptions { Width = 24, Layers = 2, Heads = 3, Vocab = 64, Sequence = 16, Dropout = dropout }),
        Data = DataSpec.Of(new TextOptions { Length = 12 }),
    };

    /// <summary>90 samples to train on, so that the third step is short, and 10 held out.</summary>
    private JobSpec WithText(JobSpec job)
    {
        var path = directory.File("text.txt");
        File.WriteAllBytes(path, [.. Enumerable.Range(0, 100 * 13).Select(i => (byte)(i * i % 61))]);
        return job with { Data = job.Data with { Path = path } };
    }
}
