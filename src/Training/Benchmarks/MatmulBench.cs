using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Benchmarks;

/// <summary>Square matrix products by precision, on one thread.</summary>
public static class MatmulBench
{
    /// <summary>Best-of-the-middle timing: the median over repetitions, precisions taken in turn so that drift hits all alike.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <returns>Seconds of one product by precision word.</returns>
    public static IReadOnlyDictionary<string, double> Measure(int size, int repetitions)
    {
        set_num_threads(1);
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        (string Name, ScalarType Type)[] kinds = size <= 256
            ? [("float32", ScalarType.Float32), ("bfloat16", ScalarType.BFloat16), ("float16", ScalarType.Float16)]
            : [("float32", ScalarType.Float32), ("bfloat16", ScalarType.BFloat16)];
        var operands = kinds.Select(k => (k.Name, A: randn(size, size).to_type(k.Type), B: randn(size, size).to_type(k.Type), Times: new List<double>())).ToArray();
        for (var i = -1; i < repetitions; i++)
            foreach (var o in operands)
            {
                var started = Stopwatch.GetTimestamp();
                o.A.matmul(o.B).Dispose();
                if (i >= 0) o.Times.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
            }
        return operands.ToDictionary(o => o.Name, o => Median(o.Times));
    }

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
