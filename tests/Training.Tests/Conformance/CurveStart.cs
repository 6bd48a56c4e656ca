using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;

namespace Distributed.Training.Tests.Conformance;

/// <summary>Weights and data of a reference curve, rebuilt from the linear congruential generator that its format describes.</summary>
internal sealed class CurveStart(ReferenceCurve curve)
{
    private const int Samples = 256;
    private ulong state;

    public byte[] Weights { get; private set; } = [];

    public byte[] X { get; private set; } = [];

    /// <summary>Writes init.safetensors and data.safetensors.</summary>
    public void Write(string directory)
    {
        MakeWeights();
        var (labels, shape) = curve.Model == "lstm" ? MakeTokens() : MakePatterns(curve.Model == "cnn" ? [3, 32, 32] : [784]);
        WriteFile(
            Path.Combine(directory, "init.safetensors"),
            [.. curve.Init.Select(i => new TensorShape(i.Name, TensorDtype.F32, new(i.Shape)))], Weights);
        TensorShape[] data =
        [
            new("x", curve.Model == "lstm" ? TensorDtype.I64 : TensorDtype.F32, new([Samples, .. shape])),
            new("y", curve.Model == "lstm" ? TensorDtype.F32 : TensorDtype.I64, new([Samples])),
        ];
        WriteFile(Path.Combine(directory, "data.safetensors"), data, [.. X, .. labels]);
    }

    private void MakeWeights()
    {
        state = 1;
        var all = new List<float>();
        foreach (var entry in curve.Init)
            for (var left = entry.Shape.Aggregate(1L, (a, b) => a * b); left > 0; left--)
                all.Add((float)(((long)Next() - (1 << 23)) * Math.Pow(2, -(23 + entry.Exponent))));
        Weights = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(all)).ToArray();
    }

    private (byte[] Labels, long[] Shape) MakePatterns(long[] shape)
    {
        state = 2;
        var size = (int)shape.Aggregate(1L, (a, b) => a * b);
        var patterns = Enumerable.Range(0, 10 * size).Select(_ => Noise(Next())).ToArray();
        var x = new float[Samples * size];
        var y = new long[Samples];
        for (var s = 0; s < Samples; s++)
        {
            y[s] = (long)(Next() % 10);
            for (var k = 0; k < size; k++) x[s * size + k] = (float)((15 * Noise(Next()) + patterns[y[s] * size + k]) * Math.Pow(2, -19));
        }
        X = MemoryMarshal.AsBytes(x.AsSpan()).ToArray();
        return (MemoryMarshal.AsBytes(y.AsSpan()).ToArray(), shape);
    }

    private (byte[] Labels, long[] Shape) MakeTokens()
    {
        state = 2;
        var x = new long[Samples * 32];
        var y = new float[Samples];
        for (var s = 0; s < Samples; s++)
        {
            var label = (long)(Next() >> 23);
            y[s] = label;
            for (var t = 0; t < 32; t++)
            {
                var (r1, r2) = (Next(), Next());
                x[s * 32 + t] = r1 >> 22 == 0 ? 50 * label + (long)(r2 % 50) : 100 + (long)(r2 % 900);
            }
        }
        X = MemoryMarshal.AsBytes(x.AsSpan()).ToArray();
        return (MemoryMarshal.AsBytes(y.AsSpan()).ToArray(), [32]);
    }

    private static long Noise(ulong draw) => (long)(draw >> 8) - (1 << 15);

    private ulong Next()
    {
        state = unchecked(state * 6364136223846793005UL + 1442695040888963407UL);
        return state >> 40;
    }

    private static void WriteFile(string path, TensorShape[] shapes, byte[] bytes)
    {
        using var stream = File.Create(path);
        var at = 0;
        SafetensorsWriter.Write(stream, shapes, null, (i, target) =>
        {
            target.Write(bytes, at, (int)shapes[i].Bytes);
            at += (int)shapes[i].Bytes;
        });
    }
}
