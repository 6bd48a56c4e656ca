using System.Globalization;
using Distributed.Bench.Baselines;
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
        // Nine steps; the first two are slow. Rank 1 is on the other silo: its seconds come with the next event.
        var steps = Enumerable.Range(1, 9).Select(s => Step(s, seconds: s <= 2 ? 9 : 0.5, exchange: s <= 2 ? 9 : 0.4, other: 0.2));
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

    [Fact]
    public void Figures_StepsThatNeverSettle_AreTakenFromTheMiddle()
    {
        var steps = Enumerable.Range(1, 12).Select(s => Step(s, seconds: 1.0 / s, exchange: 0.4, other: 0.2));
        var figures = ScalingFigures.Of([Started, .. steps]);
        Assert.False(figures.IsSteady);
        Assert.Equal((1.0 / 9 + 1.0 / 10) / 2, figures.Seconds, 9);
    }

    [Fact]
    public void Layout_OfOneRank_HalvesTheBatchOrItsMicroBatches()
    {
        var half = ScalingCase.All.Single(c => c.Rule == BatchRule.HalfBatch).Job(Model, "/data", Precision.Float32);
        Assert.Equal((4, 4), (half.GlobalBatch, half.MicroBatch));
        var two = ScalingCase.All.Single(c => c.Rule == BatchRule.TwoMicroBatches).Job(Model, "/data", Precision.Float32);
        Assert.Equal((8, 4), (two.GlobalBatch, two.MicroBatch));
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
        var summary = await Bench(ddp: null).Run([Model, Wide], ScalingCase.Quick, IsFloat32, 1, null, _ => { });
        Assert.Equal(12, summary.Rows.Count);
        Assert.Equal(1.6, summary.Ratios["mlp, float32, weak, 2 ranks on 2 silos"]);
        Assert.Equal(0.8, summary.Ratios["wide, float32, strong, 2 ranks on 2 silos"]);
        Assert.DoesNotContain(summary.Ratios.Keys, name => name.Contains("1 rank on 1 silo", StringComparison.Ordinal));
        Assert.Equal(
            ["mlp", "float32", "weak", "2", "2", $"2 on {Environment.ProcessorCount}", "13", "1.60", "5.00", "50 %",
                "10.0/20.0/30.0/40.0/50.0/60.0"],
            summary.Rows[3]);
        Assert.Contains(summary.Notes, n => n.Contains(
            "alpha = 1.000 ms, beta = 1.000 ns per byte (1.00 GB/s); residual 0.000 ms over 2 points", StringComparison.Ordinal));
        Assert.Contains("0 of 12 runs were not steady by their middle and count from there.", summary.Notes);
    }

    [Fact]
    public async Task Run_Model_IsCheckedWhereItWasNotFittedAndComputedBeyond()
    {
        var votes = new VoteRounds([(1, 1.02e-3), (8, 1.16e-3), (64, 2.28e-3)], (256, 9e-3));
        var summary = await Bench(ddp: null).Run([Model, Wide], ScalingCase.Quick, IsFloat32, 1, votes, _ => { });
        Assert.Equal(2, summary.Tables.Count);
        var (check, computed) = (summary.Tables[0], summary.Tables[1]);
        Assert.StartsWith("Step model: predicted and measured where it was not fitted", check.Title, StringComparison.Ordinal);
        // Weak and strong on two silos; no case that the model is made of.
        Assert.Equal(["weak", "strong", "weak", "strong", "-"], check.Rows.Select(row => row[2]));
        Assert.Equal(["votes", "-", "-", "-", "256", "6.1", "9.0", "-32 %", "beyond"], check.Rows[^1]);
        Assert.StartsWith("Computed, not measured", computed.Title, StringComparison.Ordinal);
        Assert.Equal(2 * 3 * 2, computed.Rows.Count);
        Assert.Equal(["mlp", "float32", "8", "16", "1 Gbit/s"], computed.Rows[0].Take(5));
        Assert.All(computed.Rows, row => Assert.True(double.Parse(row[5], CultureInfo.InvariantCulture) > 0));
        Assert.Contains(summary.Notes, n => n.Contains("of 5 predictions are within 10 %", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_RanksBeyondTheCores_AreNoPartOfTheModel()
    {
        var bench = new ScalingBench(Trained, new StepTables(cores: 1, [1e9]));
        var summary = await bench.Run([Model, Wide], ScalingCase.All, IsFloat32, 1, null, _ => { });
        Assert.Equal(["one rank, two micro-batches"], Assert.Single(summary.Tables).Rows.Select(row => row[2]).Distinct());
        Assert.Contains(summary.Notes, n => n.StartsWith("Cost of an exchange: not fitted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Run_Ddp_IsShownPlainAndTunedAndTheFasterIsCompared()
    {
        // One slow step in the beginning; then 32 and 64 samples a second.
        DdpRun ddp = (ranks, steps, model, tuned) => Task.FromResult<IReadOnlyList<DdpFigure>>(
            [new DdpFigure(model, "float32", 16, [9, .. Enumerable.Repeat(tuned ? 0.25 : 0.5, 11)], tuned ? ["channels_last"] : [])]);
        var summary = await Bench(ddp).Run([Model], ScalingCase.Quick, IsFloat32, 1, null, _ => { });
        Assert.Equal(
            [("weak, PyTorch DDP", "32"), ("weak, PyTorch DDP tuned", "64")], summary.Rows.TakeLast(2).Select(row => (row[2], row[6])));
        Assert.Equal(0.2, summary.Ratios["mlp, float32, 2 ranks on 2 silos against PyTorch DDP tuned"]);
        Assert.Contains("PyTorch DDP tuned, mlp: channels_last.", summary.Notes);
    }

    [Fact]
    public async Task Run_DdpFasterAsAFirstUserWritesIt_IsComparedWithThat()
    {
        DdpRun ddp = (ranks, steps, model, tuned) => Task.FromResult<IReadOnlyList<DdpFigure>>(
            [new DdpFigure(model, "float32", 16, [1, 1, tuned ? 2 : 1, 1], [])]);
        var summary = await Bench(ddp).Run([Model], ScalingCase.Quick, IsFloat32, 1, null, _ => { });
        Assert.Contains("mlp, float32, 2 ranks on 1 silo against PyTorch DDP", summary.Ratios.Keys.Select(k => k.Replace(" tuned", "")));
        Assert.Contains("mlp, float32, 2 ranks on 1 silo against PyTorch DDP", summary.Ratios.Keys);
    }

    [Fact]
    public async Task Run_DdpFails_IsNotedOnceAndLeftOut()
    {
        var asked = 0;
        DdpRun ddp = (_, _, _, _) => ++asked > 0 ? throw new BaselineException("no more") : null!;
        var summary = await Bench(ddp).Run([Model, Wide], ScalingCase.Quick, IsFloat32, 2, null, _ => { });
        Assert.Equal(1, asked);
        Assert.Contains("PyTorch DDP is left out from mlp on: no more.", summary.Notes);
        Assert.DoesNotContain(summary.Rows, row => row[2].Contains("DDP", StringComparison.Ordinal));
    }

    private static StepCase Wide { get; } = Model with { Name = "wide", Model = ModelSpec.Of(new MlpOptions { Sizes = new([9, 2]) }) };

    private static bool IsFloat32(string model, Precision precision) => precision == Precision.Float32;

    private static ScalingBench Bench(DdpRun? ddp)
    {
        NativeRuntime.Initialize();
        return new ScalingBench(Trained, new StepTables(cores: 2, [1e9, 1e10])) { Ddp = ddp };
    }

    /// <summary>An exchange of 1 ms and 1 ns a byte, whatever the rest.</summary>
    private static Task<IReadOnlyList<JobEvent>> Trained(JobSpec job, int ranks, int silos) => Task.FromResult<IReadOnlyList<JobEvent>>(
        [Started, .. Enumerable.Range(1, 4).Select(s => Train(
            s, job.GlobalBatch, ranks == 1 ? 1 : 1.25, ((MlpOptions)job.Model.Options).Sizes[0] * 1_000_000L))]);

    private static StepEvent Train(long step, int items, double seconds, long bytes)
    {
        var exchange = 1e-3 + (bytes * 1e-9);
        return Step(step, seconds, exchange, exchange) with
        {
            Items = items,
            Buckets = new([new BucketTime(bytes, 0)]),
            Phases = new PhaseSeconds(0.01, 0.02, 0.03, 0.04, 0.05, 0.06),
        };
    }

    private static StepEvent Step(long step, double seconds, double exchange, double other) => new(
        step, 0, 1, 16, 1, 1, 0, false, step, 1, new(1), seconds, new PhaseSeconds(1, 2, 3, 4, 5, 6))
    {
        Ranks = new(
            [new RankSeconds(new(0), step, 1, exchange, exchange / 2, 0, 0), new RankSeconds(new(1), step - 1, 1, other, other / 2, 0, 0)]),
        Buckets = new([new BucketTime(10, 0), new BucketTime(30, 0)]),
    };
}
