using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Testing.Training;
using Distributed.Training.Tests.Loop;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Exchange;

/// <summary>The same weights however the ranks are spread over silos.</summary>
public sealed class SiloSplitTests
{
    private static readonly int[][] Splits = [[4], [2, 2], [1, 1, 1, 1], [1, 1, 2], [1, 1], [3, 1], [1, 1, 1]];

    [Theory]
    [InlineData(JobPrecision.Float32, 32, 4)]
    [InlineData(JobPrecision.MixedBFloat16, 32, 4)]
    [InlineData(JobPrecision.Float32, 24, 2)]
    [InlineData(JobPrecision.MixedBFloat16, 24, 2)]
    public void Train_AnySplitOverSilos_GivesTheBitsOfOneRank(JobPrecision precision, int globalBatch, int microBatch)
    {
        var job = TrainingHarness.Shapes(precision) with { GlobalBatch = globalBatch, MicroBatch = microBatch, ClipNorm = 0.5 };
        var expected = TrainingHarness.Run(job, 1);
        foreach (var split in Splits) AssertEqual(expected, SiloHarness.Run(job, split), split);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Train_OverflowDropoutAndManyBuckets_GivesTheBitsOfOneRank(bool overlap)
    {
        var job = TrainingHarness.Shapes(JobPrecision.MixedFloat16) with
        {
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 192, 96, 10]), Dropout = 0.3 }),
            LossScale = new LossScaleSpec { Init = 1e8, Interval = 2, MaxConsecutiveSkips = 50 },
            Steps = 12,
            Workers = new WorkersSpec { Overlap = overlap },
        };
        var expected = TrainingHarness.Run(job, 1);
        Assert.Contains(expected.Steps, s => s.Skipped);
        Assert.Contains(expected.Steps, s => !s.Skipped);
        foreach (var split in Splits[..4]) AssertEqual(expected, SiloHarness.Run(job, split), split);
    }

    [Theory]
    [InlineData(JobPrecision.Float32, 32, 4)]
    [InlineData(JobPrecision.MixedBFloat16, 32, 4)]
    [InlineData(JobPrecision.Float32, 24, 8)]
    [InlineData(JobPrecision.MixedBFloat16, 24, 8)]
    public void Train_WideLayersLeavingPieceByPiece_GivesTheBitsOfOneRank(JobPrecision precision, int globalBatch, int microBatch)
    {
        var job = Wide(precision) with { GlobalBatch = globalBatch, MicroBatch = microBatch };
        var expected = TrainingHarness.Run(job, 1);
        foreach (var split in (int[][])[[2, 1], [1, 1], [1, 1, 1]]) AssertEqual(expected, SiloHarness.Run(job, split), split);
    }

    private static JobSpec Wide(JobPrecision precision) => TrainingHarness.Shapes(precision) with
    {
        Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 1100, 600, 10]), Dropout = 0.1 }),
        ClipNorm = 0.5,
    };

    private static void AssertEqual(RunOutcome expected, RunOutcome actual, int[] split)
    {
        Assert.Null(actual.Error);
        Assert.True(expected.Hash == actual.Hash, $"silos {string.Join("+", split)}: {actual.Hash}, one rank: {expected.Hash}");
        Assert.Equal(
            expected.Steps.Select(s => (s.Loss, s.LossScale, s.Skipped, s.GradNorm, s.Items)),
            actual.Steps.Select(s => (s.Loss, s.LossScale, s.Skipped, s.GradNorm, s.Items)));
    }
}
