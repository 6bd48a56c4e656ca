using System.Diagnostics;
using Distributed.Bench.Figures;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Bench.Matmul;

/// <summary>Square matrix products by precision, on one thread.</summary>
public static class MatmulBench
{
    private const string LibraryAlone = "float32, libtorch's BLAS", OneDnnAlone = "float32, oneDNN called directly";
    private const int LargestFloat16 = 256, TimedAlone = 2048;
    private static readonly (string Name, ScalarType Type)[] Lowered =
        [("bfloat16", ScalarType.BFloat16), ("float16", ScalarType.Float16)];
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
                + "float16 on CPUs without native support is for correctness only.",
            "float32: as trainings compute it. The rows below name the library: a product goes to the faster one for the processor."]);
    }

    /// <summary>Times one product: the median over repetitions, precisions taken in turn so that drift hits all alike.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <returns>Seconds of one product by precision word, and of float32 by each library where there is a choice.</returns>
    private static Dictionary<string, double> Measure(int size, int repetitions)
    {
        set_num_threads(1);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        Tensor a = randn(size, size), b = randn(size, size), target = zeros(size, size);
        List<Product> products = [new("float32", () => a.matmul(b).Dispose())];
        if (MatrixProducts.IsInstalled)
        {
            products.Add(new(LibraryAlone, () =>
            {
                using var shipped = MatrixProducts.Shipped();
                a.matmul(b).Dispose();
            }));
            products.Add(new(OneDnnAlone, () => ProductCalls.Compute(a, b, target)));
        }
        foreach (var (name, type) in Lowered.Where(kind => kind.Type != ScalarType.Float16 || size <= LargestFloat16))
        {
            Tensor left = a.to_type(type), right = b.to_type(type);
            products.Add(new(name, () => left.matmul(right).Dispose()));
        }
        // A small product alone is too short to time.
        var times = Math.Max(1, TimedAlone / size);
        for (var i = -1; i < repetitions; i++)
            foreach (var product in products)
            {
                var started = Stopwatch.GetTimestamp();
                for (var time = 0; time < times; time++) product.Run();
                if (i >= 0) product.Seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds / times);
            }
        return products.ToDictionary(product => product.Name, product => BenchMath.Median(product.Seconds));
    }

    private static string Text(double value, string format) => value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);

    private sealed record Product(string Name, Action Run)
    {
        public List<double> Seconds { get; } = [];
    }
}
