using Distributed.Bench.Figures;

namespace Distributed.Bench.Tests.Figures;

public sealed class BenchMathTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 4)]
    [InlineData(4, 6)]
    [InlineData(8, 7)]
    public void BusBandwidth_AsNcclTestsDefineIt(int ranks, double expected) =>
        Assert.Equal(expected, BenchMath.BusBandwidth(2_000_000_000, 0.5, ranks), 12);

    [Fact]
    public void AlgorithmBandwidth_IsBytesOverTime() => Assert.Equal(4, BenchMath.AlgorithmBandwidth(2_000_000_000, 0.5), 12);

    [Fact]
    public void Median_OddAndEven_IsTheMiddle()
    {
        Assert.Equal(2, BenchMath.Median([3, 1, 2]));
        Assert.Equal(2.5, BenchMath.Median([4, 1, 2, 3]));
    }

    [Fact]
    public void Significant_SmallRatio_KeepsThreeDigits() => Assert.Equal(0.000123, BenchMath.Significant(0.00012345));

    [Fact]
    public void Fit_PointsOnALine_FindsItWithoutResidual()
    {
        var cost = LinearCost.Fit([(1e6, 0.0013), (2e6, 0.0023), (5e6, 0.0053), (5e6, 0.0053)])!;
        Assert.Equal(0.0003, cost.Alpha, 12);
        Assert.Equal(1, cost.Beta * 1e9, 9);
        Assert.Equal(0, cost.Residual, 12);
    }

    [Fact]
    public void Fit_PointsOffTheLine_HaveTheResidualOfLeastSquares()
    {
        var cost = LinearCost.Fit([(0, 1), (0, 3), (2, 5), (2, 7)])!;
        Assert.Equal((2, 2, 1), (cost.Alpha, cost.Beta, cost.Residual));
    }

    [Fact]
    public void FitRelative_SmallAmounts_CountAsMuchAsLargeOnes()
    {
        // 10 % off at the large one, where it is a thousand times what the small one takes: the small ones keep their line.
        var cost = LinearCost.FitRelative([(0, 1e-3), (1, 2e-3), (1000, 1.1)])!;
        Assert.Equal(1e-3, cost.Alpha, 4);
        Assert.InRange(cost.Seconds(1000), 1, 1.1);
    }

    [Fact]
    public void FitRelative_LineThatWouldBeginBelowZero_BeginsThere()
    {
        var cost = LinearCost.FitRelative([(1, 1), (2, 3)])!;
        Assert.Equal(0, cost.Alpha);
        Assert.InRange(cost.Beta, 1, 1.5);
        Assert.True(cost.Residual > 0);
    }

    [Fact]
    public void Fit_OneSize_HasNoLine() => Assert.Null(LinearCost.Fit([(4096, 1), (4096, 2)]));
}
