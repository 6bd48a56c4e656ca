using System.Buffers.Binary;

namespace Distributed.Core.Checkpoints;

/// <summary>Compares safetensors files tensor by tensor, in pieces: neither file is held in memory.</summary>
public static class CheckpointDiff
{
    private const int ChunkBytes = 1 << 20;

    /// <returns>One entry per tensor, in ordinal name order.</returns>
    public static IReadOnlyList<TensorDifference> Compare(SafetensorsFile first, SafetensorsFile second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var names = first.Tensors.Concat(second.Tensors).Select(t => t.Name).Distinct().Order(StringComparer.Ordinal);
        return [.. names.Select(name => (first.Find(name), second.Find(name)) switch
        {
            (null, _) => new TensorDifference(name, TensorComparison.OnlyInSecond),
            (_, null) => new TensorDifference(name, TensorComparison.OnlyInFirst),
            ({ } a, { } b) when a.Dtype != b.Dtype || !a.Shape.Equals(b.Shape) => new TensorDifference(name, TensorComparison.OtherShape),
            ({ } a, { } b) => Compare(first, a, second, b),
        })];
    }

    private static TensorDifference Compare(SafetensorsFile firstFile, TensorEntry first, SafetensorsFile secondFile, TensorEntry second)
    {
        // Elements of less than a byte are compared by their bytes.
        var size = Math.Max(1, first.Dtype.Bits() / 8);
        var (left, right) = (new byte[ChunkBytes], new byte[ChunkBytes]);
        var (maxAbs, firstIndex, count) = (0.0, -1L, 0L);
        for (var offset = 0L; offset < first.Bytes; offset += ChunkBytes)
        {
            var length = (int)Math.Min(ChunkBytes, first.Bytes - offset);
            firstFile.Read(first, offset, left.AsSpan(0, length));
            secondFile.Read(second, offset, right.AsSpan(0, length));
            if (left.AsSpan(0, length).SequenceEqual(right.AsSpan(0, length))) continue;
            for (var i = 0; i < length; i += size)
            {
                ReadOnlySpan<byte> a = left.AsSpan(i, size), b = right.AsSpan(i, size);
                if (a.SequenceEqual(b)) continue;
                if (count++ == 0) firstIndex = (offset + i) / size;
                maxAbs = Math.Max(maxAbs, Distance(first.Dtype, a, b));
            }
        }

        return count == 0
            ? new TensorDifference(first.Name, TensorComparison.Equal)
            : new TensorDifference(first.Name, TensorComparison.Differs, maxAbs, firstIndex, count);
    }

    /// <summary>0 for values that are equal though their bits differ, such as +0 and -0.</summary>
    private static double Distance(TensorDtype dtype, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        if (Value(dtype, a) is not { } x || Value(dtype, b) is not { } y) return double.NaN;
        return x == y ? 0 : Math.Abs(x - y);
    }

    /// <returns>Null for element types without an order, or that no number here stands for.</returns>
    private static double? Value(TensorDtype dtype, ReadOnlySpan<byte> bytes) => dtype switch
    {
        TensorDtype.Bool or TensorDtype.U8 => bytes[0],
        TensorDtype.I8 => (sbyte)bytes[0],
        TensorDtype.U16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        TensorDtype.I16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        TensorDtype.F16 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        TensorDtype.BF16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        TensorDtype.U32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        TensorDtype.I32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        TensorDtype.F32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        TensorDtype.U64 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        TensorDtype.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        TensorDtype.F64 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        _ => null,
    };
}
