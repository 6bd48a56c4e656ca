using CsCheck;
using Distributed.Bench.Figures;
using Distributed.Bench.Prediction;
using Distributed.Core.Events;

namespace Distributed.Bench.Tests.Prediction;

public sealed class StepModelTests
{
    private const long Bytes = 8_000_000;
    private const int Buckets = 8;
    private const int Batch = 64;
    private const double Wait = 0.1 * 1.2 * 8.4e-3;
    private static readonly LinearCost Votes = new(1e-3, 20e-6, 0);
    private static readonly Link Fast = new(1e15, 0);

    /// <summary>
    /// Steps that follow the model exactly: 2 ms and 0.1 ms a sample, slower by a fifth with two ranks, an exchange of 1 ms and 1 ns a
    /// byte, a tenth of the compute waited for the other silo.
    /// </summary>
    private static readonly IReadOnlyList<MeasuredStep> Exact =
    [
        Step(new(1, 1, Batch, 1, true), compute: 8.4e-3, slowdown: 1, reduce: 0.5e-3, decide: 0.2e-3, update: 3e-3),
        Step(new(1, 1, Batch / 2, 1, true), compute: 5.2e-3, slowdown: 1, reduce: 0.5e-3, decide: 0.2e-3, update: 3e-3),
        Step(new(2, 1, Batch, 1, true), compute: 8.4e-3, slowdown: 1.2, reduce: 0.4e-3, decide: 0.2e-3, update: 2e-3),
        Step(new(2, 2, Batch, 1, false), compute: 8.4e-3, slowdown: 1.2, reduce: 9e-3 + Wait, decide: 0.5e-3, update: 3.5e-3) with
        {
            Exchange = 9e-3,
        },
        Step(new(2, 2, Batch, 1, false), compute: 8.4e-3, slowdown: 1.2, reduce: 2e-3 + Wait, decide: 0.5e-3, update: 3.5e-3) with
        {
            Exchange = 2e-3,
            Bytes = 1_000_000,
        },
    ];

    [Fact]
    public void Fit_FindsTheLineOfCompute()
    {
        var model = Fit(cores: 2);
        Assert.Equal(2e-3, model.Compute.Alpha, 9);
        Assert.Equal(0.1e-3, model.Compute.Beta, 9);
        Assert.Equal(2, model.MostRanks);
    }

    [Fact]
    public void Seconds_OneRankWithTwoMicroBatches_ComputesTwice() =>
        Assert.Equal((2 * 5.2e-3) + 0.5e-3 + 0.2e-3 + 3e-3, Fit(cores: 2).Seconds(new StepLayout(1, 1, Batch / 2, 2, true))!.Value, 9);

    [Fact]
    public void Seconds_RanksOfOneSilo_SlowEachOtherDownAndShareTheUpdate() =>
        Assert.Equal((5.2e-3 * 1.2) + 0.4e-3 + 0.2e-3 + 2e-3, Fit(cores: 2).Seconds(new StepLayout(2, 1, Batch / 2, 1, true))!.Value, 9);

    [Fact]
    public void Seconds_TwoSilosWithoutASpareCore_HideNothing()
    {
        var expected = (8.4e-3 * 1.2) + Wait + 9e-3 + 0.5e-3 + 3.5e-3;
        Assert.Equal(expected, Fit(cores: 2).Seconds(new StepLayout(2, 2, Batch, 1, true))!.Value, 9);
        Assert.Equal(expected, Fit(cores: 2).Seconds(new StepLayout(2, 2, Batch, 1, false))!.Value, 9);
    }

    [Fact]
    public void Seconds_TwoSilosWithSpareCores_HideTheExchangeBehindBackward()
    {
        // Backward is half of compute.
        var backward = 8.4e-3 * 1.2 / 2;
        var expected = backward + (backward / Buckets) + 9e-3 + Wait + 0.5e-3 + 3.5e-3;
        Assert.Equal(expected, Fit(cores: 4).Seconds(new StepLayout(2, 2, Batch, 1, true))!.Value, 9);
    }

    [Theory]
    [InlineData(4, 2)]
    [InlineData(4, 4)]
    public void Seconds_MoreRanksThanCoresOrThanMeasured_IsNotTold(int ranks, int silos)
    {
        Assert.Null(Fit(cores: 2).Seconds(new StepLayout(ranks, silos, Batch, 1, true)));
        Assert.Null(Fit(cores: 8).Seconds(new StepLayout(ranks, silos, Batch, 1, true)));
    }

    [Fact]
    public void Seconds_MoreSilos_MoveNearlyTwiceTheGradientAndMeetEachOther()
    {
        var model = Fit(cores: 2);
        var exchange = (999 * 1e-3) + (2.0 * 999 / 1000 * Bytes * 1e-9);
        var expected = (8.4e-3 * 1.2) + Wait + exchange + 0.5e-3 + (998 * 20e-6) + 2e-3;
        Assert.Equal(expected, model.Seconds(1000, 2, Batch, Fast)!.Value, 7);
    }

    [Fact]
    public void Seconds_SlowLink_TakesTheTimeOfItsBytesAndRoundTrips()
    {
        // 16 MB each way take 12.8 s: all else but the first bucket's making is hidden behind them.
        var (one, fast) = (Fit(cores: 2).Seconds(8, 2, Batch, new Link(1e7, 0))!.Value, Fit(cores: 2).Seconds(8, 2, Batch, Fast)!.Value);
        Assert.InRange(one, 2 * 7.0 / 8 * Bytes * 8 / 1e7, fast + (2 * 7.0 / 8 * Bytes * 8 / 1e7));
        Assert.Equal(one + 2e-3, Fit(cores: 2).Seconds(8, 2, Batch, new Link(1e7, 1e-3))!.Value, 9);
    }

    [Fact]
    public void Seconds_MoreSilosOrLessBandwidth_NeverFaster() =>
        Gen.Select(Gen.Int[2, 2000], Gen.Int[1, 500], Gen.Double[1e7, 1e12], Gen.Double[1, 10]).Sample((silos, more, rate, times) =>
        {
            var model = Fit(cores: 2);
            var here = model.Seconds(silos, 2, Batch, new Link(rate, 1e-4))!.Value;
            Assert.True(model.Seconds(silos + more, 2, Batch, new Link(rate, 1e-4)) >= here);
            Assert.True(model.Seconds(silos, 2, Batch, new Link(rate / times, 1e-4)) >= here);
            Assert.True(model.Seconds(1, 2, Batch, new Link(rate, 1e-4)) < here);
        });

    [Fact]
    public void Pipeline_IsBetweenTheLongerPartAndTheSum() =>
        Gen.Select(Gen.Double[0, 1], Gen.Double[0, 1], Gen.Int[1, 16]).Sample((busy, hidden, buckets) =>
        {
            var seconds = StepModel.Pipeline(busy, hidden, buckets);
            Assert.InRange(seconds, Math.Max(busy, hidden), busy + hidden + 1e-12);
            if (buckets == 1) Assert.Equal(busy + hidden, seconds, 12);
        });

    [Fact]
    public void Fit_OneSizeOfMicroBatch_HasNoModel() =>
        Assert.Null(StepModel.Fit([.. Exact.Where(m => m.Layout.MicroBatch == Batch)], Machine(2)));

    [Fact]
    public void Fit_NothingButOneSilo_TellsOneSiloAlone()
    {
        List<MeasuredStep> alone = [.. Exact.Where(m => m.Layout.Silos == 1)];
        var model = StepModel.Fit(alone, MachineCost.Fit(2, alone, null))!;
        Assert.NotNull(model.Seconds(new StepLayout(2, 1, 16, 1, true)));
        Assert.Null(model.Seconds(new StepLayout(2, 2, 16, 1, true)));
        Assert.Null(model.Seconds(8, 2, 16, Fast));
    }

    [Fact]
    public void Fit_StepsToCheckWith_AreLeftOut()
    {
        var odd = Step(new(2, 1, Batch / 2, 1, true), compute: 9, slowdown: 1, reduce: 9, decide: 9, update: 9) with { IsFitted = false };
        var layout = new StepLayout(2, 2, Batch, 1, true);
        Assert.Equal(Fit(cores: 2).Seconds(layout), StepModel.Fit([.. Exact, odd], Machine(2))!.Seconds(layout));
        Assert.Equal(0.2e-3, DecisionCost.Fit([.. Exact, odd], null).One, 12);
    }

    [Fact]
    public void DecisionCost_WithoutVotes_GrowsAsFromOneToTwo()
    {
        var decision = DecisionCost.Fit(Exact, null);
        Assert.Equal((0.2e-3, 0.5e-3), (decision.One, decision.Two));
        Assert.Equal(0.5e-3 + (6 * 0.3e-3), decision.Seconds(8), 12);
    }

    private static MachineCost Machine(int cores) => MachineCost.Fit(cores, Exact, Votes);

    private static StepModel Fit(int cores) => StepModel.Fit([.. Exact.Where(m => m.Bytes is 0 or Bytes)], Machine(cores))!;

    /// <param name="reduce">The phase of the exchange, whether within a silo or between them.</param>
    /// <param name="update">With what is in no phase.</param>
    private static MeasuredStep Step(
        StepLayout layout, double compute, double slowdown, double reduce, double decide, double update)
    {
        var one = compute * slowdown;
        var phases = new PhaseSeconds(0, one / 2, one / 2, reduce, decide, update * 0.9);
        return new MeasuredStep(
            layout, one + reduce + decide + update, phases, 0, layout.Silos > 1 ? Bytes : 0, layout.Silos > 1 ? Buckets : 0, true);
    }
}
