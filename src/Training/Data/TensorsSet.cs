using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Values;
using Distributed.Training.Native;

namespace Distributed.Training.Data;

/// <summary>Ready-made samples in a safetensors file: <c>x</c> (F32 or I64) and <c>y</c> (I64 or F32), the sample number first.</summary>
/// <remarks>An endless stream. What the model needs is checked once, here, so that a wrong number never reaches a native kernel.</remarks>
internal static class TensorsSet
{
    private const int Chunk = 1 << 26;

    /// <param name="allowNonFinite">Take inputs that are infinite or NaN.</param>
    public static DataSource Open(string path, ModelContract model, bool allowNonFinite)
    {
        using var file = SafetensorsFile.Open(path, ErrorCodes.DataInvalid);
        var x = Find(file, "x", path);
        var y = Find(file, "y", path);
        if (x.Shape[0] != y.Shape[0] || x.Shape[0] is 0 or > int.MaxValue)
            throw DataFile.Invalid(path, $"x has {x.Shape[0]} samples and y {y.Shape[0]}", "expected the same number, at least 1");

        var needs = TensorNeeds.Of(model);
        needs.CheckFormats(path, x, y);
        var digest = new DataDigest();
        var inputs = Load(file, x, digest);
        var labels = Load(file, y, digest);
        if (needs.BinaryLabels && y.Dtype == TensorDtype.I64) labels = ToFloat(labels);
        if (x.Dtype == TensorDtype.I64) needs.CheckTokens(path, inputs, x);
        else if (!allowNonFinite) CheckFinite(path, inputs, x);
        needs.CheckLabels(path, labels, y);

        var labelFormat = needs.BinaryLabels ? SampleFormat.Scalar(ElementKind.Float32) : FormatOf(y);
        return new DataSource(
            new TensorSplit(inputs, labels, (int)x.Shape[0], FormatOf(x), labelFormat), Test: null, Endless: true, needs.Classes)
        {
            Vocabulary = needs.Vocabulary,
            Sha256 = digest.Compute(),
            Warnings = NotesOn(file, path),
        };
    }

    private static void CheckFinite(string path, HostMemory inputs, TensorEntry x)
    {
        for (var offset = 0L; offset < inputs.Bytes; offset += Chunk)
        {
            AbortSignal.ThrowIfRaised();
            var values = MemoryMarshal.Cast<byte, float>(inputs.Slice(offset, (int)Math.Min(Chunk, inputs.Bytes - offset)));
            if (FiniteScan.FirstNonFinite(values) is not (>= 0 and var bad)) continue;
            var (sample, position) = Math.DivRem((offset / sizeof(float)) + bad, x.Elements / x.Shape[0]);
            throw DataFile.Invalid(
                path, FormattableString.Invariant($"x, sample {sample}, position {position}: {values[bad]}, expected a finite number"),
                "correct it, or set data.allowNonFinite: true to have the steps that it spoils skipped");
        }
    }

    private static IReadOnlyList<string> NotesOn(SafetensorsFile file, string path)
    {
        var others = file.Tensors.Where(t => t.Name is not ("x" or "y")).ToList();
        return others.Count == 0
            ? []
            : [$"{path} holds {others.Count} tensor(s) in addition to x and y; they are ignored: "
                + $"{string.Join(", ", others.Take(10))}{(others.Count > 10 ? ", ..." : "")}."];
    }

    private static TensorEntry Find(SafetensorsFile file, string name, string path)
    {
        var entry = file.Find(name) ?? throw DataFile.Invalid(
            path, $"no tensor \"{name}\"", "expected x and y; it holds " + string.Join(", ", file.Tensors.Take(10).Select(t => t.Name)));
        if (entry.Dtype is not (TensorDtype.F32 or TensorDtype.I64) || entry.Shape.Count == 0)
            throw DataFile.Invalid(
                path, $"tensor {entry}",
                "expected F32 or I64 with the sample number as the first dimension; "
                + "write it so, such as with tensor.float() or tensor.long()");
        return entry;
    }

    private static SampleFormat FormatOf(TensorEntry entry) => new(
        new EquatableList<long>(entry.Shape.Skip(1)), entry.Dtype == TensorDtype.F32 ? ElementKind.Float32 : ElementKind.Int64);

    private static HostMemory Load(SafetensorsFile file, TensorEntry entry, DataDigest digest)
    {
        var memory = new HostMemory(entry.Bytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var offset = 0L; offset < entry.Bytes; offset += Chunk)
        {
            AbortSignal.ThrowIfRaised();
            var part = memory.Slice(offset, (int)Math.Min(Chunk, entry.Bytes - offset));
            file.Read(entry, offset, part);
            hash.AppendData(part);
        }

        digest.Add(entry.ToString(), entry.Bytes, hash.GetHashAndReset());
        return memory;
    }

    private static HostMemory ToFloat(HostMemory numbers)
    {
        var floats = new HostMemory(numbers.Bytes / 2);
        var source = MemoryMarshal.Cast<byte, long>(numbers.Slice(0, checked((int)numbers.Bytes)));
        var target = MemoryMarshal.Cast<byte, float>(floats.Slice(0, checked((int)floats.Bytes)));
        for (var i = 0; i < source.Length; i++) target[i] = source[i];
        numbers.Dispose();
        return floats;
    }
}
