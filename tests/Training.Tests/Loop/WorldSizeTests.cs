using Distributed.Core.Jobs;
using JobPrecision = Distributed.Core.Jobs.Precision;

namespace Distributed.Training.Tests.Loop;

/// <summary>The first promise: final weights are a function of the job alone.</summary>
public sealed class WorldSizeTests
{
    public static TheoryData<string> Cases => [.. Jobs.Keys];

    private static readonly Dictionary<string, JobSpec> Jobs = new()
    {
        ["float32 V=8"] = TrainingHarness.Shapes(),
        ["bfloat16 V=8"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16),
        ["float16 V=8"] = TrainingHarness.Shapes(JobPrecision.MixedFloat16) with { Steps = 2 },
        ["float32 V=12 clipped, dropout, augmented"] = TrainingHarness.Shapes() with
        {
            GlobalBatch = 24,
            MicroBatch = 2,
            ClipNorm = 0.3,
            Model = new ModelSpec { Name = "simple-cnn", Dropout = 0.4 },
            Augment = new AugmentSpec { Flip = true, Crop = 4 },
        },
        ["bfloat16 V=12 sgd, overflow on the way"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 36,
            MicroBatch = 3,
            LossScale = new LossScaleSpec { Init = 1e38 },
            Optimizer = new OptimizerSpec { Name = "sgd", Lr = 0.05, Momentum = 0.9, Nesterov = true },
        },
        ["mlp bfloat16 V=5"] = TrainingHarness.Shapes(JobPrecision.MixedBFloat16) with
        {
            GlobalBatch = 35,
            MicroBatch = 7,
            Model = new ModelSpec { Name = "mlp", Sizes = new([3072, 96, 40, 10]), Dropout = 0.1 },
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Train_OneToFourRanks_WeightsAreBitwiseEqual(string name)
    {
        var hashes = Enumerable.Range(1, 4).Select(ranks => TrainingHarness.Run(Jobs[name], ranks).Hash).ToArray();
        Assert.All(hashes, hash => Assert.Equal(hashes[0], hash));
        Assert.Equal(hashes[0], TrainingHarness.Run(Jobs[name], 2).Hash);
        // Another job must not give the same weights: the hash is of something.
        Assert.NotEqual(hashes[0], TrainingHarness.Run(Jobs[name] with { Seed = 4 }, 2).Hash);
    }

    [Fact]
    public void Train_ShortLastBatch_IsKept()
    {
        var steps = TrainingHarness.Run(TrainingHarness.Shapes() with { Steps = 3 }, 3).Steps;
        Assert.Equal([32, 32, 26], steps.Select(s => s.Items));
        Assert.Equal([0, 0, 0], steps.Select(s => s.Epoch));
    }
}
