using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Values;

namespace Distributed.Training.Checkpoints;

/// <summary>Reads one tensor of a safetensors file as FP32 and refuses values that are not finite.</summary>
internal static class FloatTensor
{
    private const int ChunkElements = 1 << 18;

    /// <summary>Element types that become FP32; only F64 loses something.</summary>
    public static IReadOnlyList<TensorDtype> Convertible { get; } = [TensorDtype.F32, TensorDtype.F16, TensorDtype.BF16, TensorDtype.F64];

    /// <param name="entry">Of one of the types in <see cref="Convertible"/>.</param>
    /// <returns>Row-major FP32 values, little-endian.</returns>
    /// <exception cref="JobException">
    /// <paramref name="errorCode"/>: a value is not finite, or not as float32, named with tensor and position.
    /// </exception>
    public static byte[] Read(SafetensorsFile file, TensorEntry entry, string errorCode)
    {
        var bytes = new byte[checked(entry.Elements * sizeof(float))];
        var values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        var size = entry.Dtype.Bits() / 8;
        var chunk = entry.Dtype == TensorDtype.F32 ? [] : new byte[Math.Min(entry.Bytes, (long)ChunkElements * size)];
        for (var at = 0; at < values.Length; at += ChunkElements)
        {
            var part = values.Slice(at, Math.Min(ChunkElements, values.Length - at));
            var source = entry.Dtype == TensorDtype.F32 ? MemoryMarshal.AsBytes(part) : chunk.AsSpan(0, part.Length * size);
            file.Read(entry, (long)at * size, source);
            Convert(entry.Dtype, source, part);
            if (FiniteScan.FirstNonFinite(part) is >= 0 and var bad)
                throw NotFinite(file.Path, entry, at + bad, Show(entry.Dtype, source.Slice(bad * size, size)), errorCode);
        }

        return bytes;
    }

    private static void Convert(TensorDtype dtype, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (dtype)
        {
            case TensorDtype.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(source);
                for (var i = 0; i < target.Length; i++) target[i] = (float)halves[i];
                break;
            case TensorDtype.BF16:
                var words = MemoryMarshal.Cast<byte, ushort>(source);
                for (var i = 0; i < target.Length; i++) target[i] = BitConverter.UInt32BitsToSingle((uint)words[i] << 16);
                break;
            case TensorDtype.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(source);
                for (var i = 0; i < target.Length; i++) target[i] = (float)doubles[i];
                break;
        }
    }

    private static string Show(TensorDtype dtype, ReadOnlySpan<byte> value) => dtype switch
    {
        TensorDtype.F64 when BinaryPrimitives.ReadDoubleLittleEndian(value) is var number && double.IsFinite(number) =>
            FormattableString.Invariant($"{number}, which float32 cannot hold"),
        TensorDtype.F64 => BinaryPrimitives.ReadDoubleLittleEndian(value).ToString(CultureInfo.InvariantCulture),
        TensorDtype.F16 => BinaryPrimitives.ReadHalfLittleEndian(value).ToString(CultureInfo.InvariantCulture),
        TensorDtype.BF16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(value) << 16)
            .ToString(CultureInfo.InvariantCulture),
        _ => BinaryPrimitives.ReadSingleLittleEndian(value).ToString(CultureInfo.InvariantCulture),
    };

    private static JobException NotFinite(string path, TensorEntry entry, long element, string found, string errorCode)
    {
        var remedy = errorCode == ErrorCodes.CheckpointInvalid
            ? "Remove this checkpoint to resume from the one before it"
            : "Use weights from before the training that made them diverged";
        return new(
            errorCode,
            $"{path}: tensor \"{entry.Name}\", position {Place(entry.Shape, element)}: {found}, expected a finite number. {remedy}.");
    }

    /// <returns>The element's indices by dimension.</returns>
    private static string Place(EquatableList<long> shape, long element)
    {
        var indices = new long[shape.Count];
        for (var i = shape.Count - 1; i >= 0; i--) (element, indices[i]) = Math.DivRem(element, shape[i]);
        return $"[{string.Join(", ", indices)}]";
    }
}
