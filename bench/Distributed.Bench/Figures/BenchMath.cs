using System.Globalization;

namespace Distributed.Bench.Figures;

/// <summary>The figures that tables are made of.</summary>
public static class BenchMath
{
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>A ratio in three significant digits, so that small ones stay readable.</summary>
    public static double Significant(double value) =>
        double.Parse(value.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>nccl-tests' algorithm bandwidth of an all-reduce: bytes of one rank's gradient over the time.</summary>
    /// <returns>10^9 bytes a second.</returns>
    public static double AlgorithmBandwidth(long bytes, double seconds) => bytes / seconds / 1e9;

    /// <summary>
    /// nccl-tests' bus bandwidth of an all-reduce: what each rank must send and receive at least, over the time; comparable
    /// between numbers of ranks.
    /// </summary>
    /// <returns>10^9 bytes a second.</returns>
    public static double BusBandwidth(long bytes, double seconds, int ranks) =>
        AlgorithmBandwidth(bytes, seconds) * 2 * (ranks - 1) / ranks;
}
