using System.Diagnostics;
using Distributed.Bench.Figures;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Bench.Matmul;

/// <summary>Square matrix products by precision, on one thread.</summary>
public static class MatmulBench
{
    private static readonly int[] Sizes = [256, 1024, 2048, 4096], QuickSizes = [256];

    public static IReadOnlyList<string> Columns { get; } = ["size", "precision", "ms", "GFLOP/s", "times float32"];

    /// <param name="rounds">Repetitions of each product, of which the median counts.</param>
    /// <param name="quick">The smallest size alone.</param>
    /// <param name="report">Takes each row as soon as it is measured.</param>
    public static BenchSummary Run(int rounds, bool quick, Action<BenchRow> report)
    {
        var ratios = new Dictionary<string, double>(StringComparer.Ordinal);
        var rows = new List<IReadOnlyList<string>>();
        foreach (var size in quick ? QuickSizes : Sizes)
        {
            var seconds = Measure(size, Math.Max(rounds, 3));
            foreach (var (precision, time) in seconds)
            {
                var ratio = seconds["float32"] / time;
                if (precision != "float32") ratios[$"{size}, {precision}"] = Math.Round(ratio, 3);
                string[] cells =
                [
                    Text(size, "0"), precision, Text(time * 1e3, "0.00"), Text(2.0 * size * size * size / time / 1e9, "0"),
                    Text(ratio, "0.00"),
                ];
                rows.Add(cells);
                report(new BenchRow(cells));
            }
        }
        return new BenchSummary(
            "Square matrix products on one thread", Columns, rows, ratios,
            ["times float32: speed over float32's in the same run (higher is better); "
                + "float16 on CPUs without native support is for correctness only."]);
    }

    /// <summary>Times one product: the median over repetitions, precisions taken in turn so that drift hits all alike.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <returns>Seconds of one product by precision word.</returns>
    private static Dictionary<string, double> Measure(int size, int repetitions)
    {
        set_num_threads(1);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        (string Name, ScalarType Type)[] kinds = size <= 256
            ? [("float32", ScalarType.Float32), ("bfloat16", ScalarType.BFloat16), ("float16", ScalarType.Float16)]
            : [("float32", ScalarType.Float32), ("bfloat16", ScalarType.BFloat16)];
        var operands = kinds.Select(
            k => (k.Name, A: randn(size, size).to_type(k.Type), B: randn(size, size).to_type(k.Type), Times: new List<double>())).ToArray();
        for (var i = -1; i < repetitions; i++)
            foreach (var o in operands)
            {
                var started = Stopwatch.GetTimestamp();
                o.A.matmul(o.B).Dispose();
                if (i >= 0) o.Times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        return operands.ToDictionary(o => o.Name, o => BenchMath.Median(o.Times));
    }

    private static string Text(double value, string format) => value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);
}
