using Distributed.Bench.Scaling;
using Distributed.Bench.Step;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Native;

namespace Distributed.Bench.Tests.Scaling;

public sealed class ScalingBenchTests
{
    private static readonly StepCase Model = new("mlp", ModelSpec.Of(new MlpOptions { Sizes = new([4, 2]) }), 8, 6);

    private static StartedEvent Started { get; } =
        new(
            JobId.Parse("bench"), new(1),
            [new RankPlace(new(0), "silo-0", "cpu:0"), new RankPlace(new(1), "silo-1", "cpu:0"), new RankPlace(new(2), "silo-0", "cpu:1")]);

    [Fact]
    public void Figures_RanksOfOtherSilosToldAStepLater_AreTakenWithTheirOwnStep()
    {
        // Six steps; the first two are warm-up and slow. Rank 1 is on the other silo: its seconds come with the next event.
        var steps = Enumerable.Range(1, 6).Select(s => Step(s, seconds: s <= 2 ? 9 : 0.5, exchange: s <= 2 ? 9 : 0.4, other: 0.2));
        var figures = ScalingFigures.Of([Started, .. steps]);
        Assert.Equal(32, figures.SamplesPerSecond);
        Assert.Equal(0.3, figures.Exchange, 9);
        Assert.Equal(0.15, figures.Exposed, 9);
        Assert.Equal(0.5, figures.NotHidden, 9);
        Assert.Equal(0.2, figures.Pure, 9);
        Assert.Equal(40, figures.Bytes);
        Assert.Equal(new PhaseSeconds(1, 2, 3, 4, 5, 6), figures.Phases);
    }

    [Fact]
    public void Figures_RankThatWaitsForItsNeighbour_DoesNotCount()
    {
        var late = Step(1, seconds: 1, exchange: 0.4, other: 0);
        var figures = ScalingFigures.Of([Started,
            late with { Ranks = new([new RankSeconds(new(0), 1, 1, 0.4, 3, 0, 0), new RankSeconds(new(2), 1, 1, 0.4, 0.1, 0, 0)]) }]);
        Assert.Equal(0.25, figures.NotHidden, 9);
    }

    [Theory]
    [InlineData("weak", 32, 8, true)]
    [InlineData("strong", 8, 2, true)]
    public void Job_FourRanks_HasTheBatchOfItsRule(string rule, int global, int micro, bool overlap)
    {
        var item = ScalingCase.All.Single(c => c.BatchWord == rule && (c.Ranks, c.Silos) == (4, 2));
        var job = item.Job(Model, "/data", Precision.Float32);
        Assert.Equal((global, micro, overlap), (job.GlobalBatch, job.MicroBatch, job.Workers.Overlap));
        Assert.Equal(4, job.MicroBatches);
    }

    [Fact]
    public async Task Run_FasterWithRanks_TellsSpeedUpAndCost()
    {
        NativeRuntime.Initialize();
        // An exchange of 1 ms and 1 ns a byte, whatever the rest.
        var bench = new ScalingBench(
            (job, ranks, silos) => Task.FromResult<IReadOnlyList<JobEvent>>(
                [Started, .. Enumerable.Range(1, 3).Select(s => Train(
                    s, job.GlobalBatch, ranks == 1 ? 1 : 1.25, ((MlpOptions)job.Model.Options).Sizes[0] * 1_000_000L))]), torch: null);
        var summary = await bench.Run(
            [Model, Model with { Name = "wide", Model = ModelSpec.Of(new MlpOptions { Sizes = new([9, 2]) }) }], ScalingCase.Quick,
            (_, p) => p == Precision.Float32, 1, _ => { });
        Assert.Equal(8, summary.Rows.Count);
        Assert.Equal(1.6, summary.Ratios["mlp, float32, weak, 2 ranks on 2 silos"]);
        Assert.Equal(0.8, summary.Ratios["wide, float32, strong, 2 ranks on 2 silos"]);
        Assert.Equal(
            ["mlp", "float32", "weak", "2", "2", $"2 on {Environment.ProcessorCount}", "13", "1.60", "5.00", "50 %",
                "1000.0/2000.0/3000.0/4000.0/5000.0/6000.0"],
            summary.Rows[1]);
        Assert.Contains(summary.Notes, n => n.Contains(
            "alpha = 1.000 ms, beta = 1.000 ns per byte (1.00 GB/s); residual 0.000 ms over 2 points", StringComparison.Ordinal));
    }

    private static StepEvent Train(long step, int items, double seconds, long bytes)
    {
        var exchange = 1e-3 + (bytes * 1e-9);
        return Step(step, seconds, exchange, exchange) with { Items = items, Buckets = new([new BucketTime(bytes, 0)]) };
    }

    private static StepEvent Step(long step, double seconds, double exchange, double other) => new(
        step, 0, 1, 16, 1, 1, 0, false, step, 1, new(1), seconds, new PhaseSeconds(1, 2, 3, 4, 5, 6))
    {
        Ranks = new(
            [new RankSeconds(new(0), step, 1, exchange, exchange / 2, 0, 0), new RankSeconds(new(1), step - 1, 1, other, other / 2, 0, 0)]),
        Buckets = new([new BucketTime(10, 0), new BucketTime(30, 0)]),
    };
}
