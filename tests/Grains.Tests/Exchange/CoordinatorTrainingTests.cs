using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Grains.Tests.Cluster;
using Distributed.Testing.Training;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Grains.Tests.Exchange;

/// <summary>Whole trainings whose gradients travel through the coordinator grain of a real cluster.</summary>
public sealed class CoordinatorTrainingTests : IAsyncLifetime
{
    private static readonly int[][] Splits = [[2, 2], [1, 1, 2]];
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(3);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Theory]
    [InlineData(JobPrecision.Float32, 32, 4)]
    [InlineData(JobPrecision.MixedBFloat16, 32, 4)]
    [InlineData(JobPrecision.Float32, 24, 2)]
    [InlineData(JobPrecision.MixedBFloat16, 24, 2)]
    public Task Train_AnySplitOverSilos_GivesTheBitsOfOneRank(JobPrecision precision, int globalBatch, int microBatch) =>
        Compare(TrainingHarness.Shapes(precision) with { GlobalBatch = globalBatch, MicroBatch = microBatch, ClipNorm = 0.5 });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task Train_OverflowDropoutAndManyBuckets_GivesTheBitsOfOneRank(bool overlap) =>
        Compare(TrainingHarness.Shapes(JobPrecision.MixedFloat16) with
        {
            Model = ModelSpec.Of(new MlpOptions { Sizes = new([3072, 192, 96, 10]), Dropout = 0.3 }),
            LossScale = new LossScaleSpec { Init = 1e8, Interval = 2, MaxConsecutiveSkips = 50 },
            Steps = 12,
            Workers = new WorkersSpec { Overlap = overlap },
        });

    private async Task Compare(JobSpec job)
    {
        var expected = TrainingHarness.Run(job, 1);
        foreach (var split in Splits)
        {
            var id = $"split-{string.Join('-', split)}";
            await CoordinatorMesh.OpenGeneration(cluster, id, split.Length, generation: 1);
            var actual = await Task.Factory.StartNew(
                () => SiloHarness.Run(
                    job, split, factory: (silo, meeting) => CoordinatorMesh.Factory(cluster, id, silo, meeting, job.Workers.Overlap),
                    jobId: id),
                default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            Assert.Null(actual.Error);
            Assert.True(expected.Hash == actual.Hash, $"silos {string.Join("+", split)}: {actual.Hash}, one rank: {expected.Hash}");
            Assert.Equal(
                expected.Steps.Select(s => (s.Loss, s.LossScale, s.Skipped, s.GradNorm, s.Items)),
                actual.Steps.Select(s => (s.Loss, s.LossScale, s.Skipped, s.GradNorm, s.Items)));
        }
    }
}
