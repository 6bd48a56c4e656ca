using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Distributed.Grains.Contracts;

/// <summary>
/// Memory of one message: 64-byte aligned, never moved, from a pool of the process. One that is not given back is merely forgotten.
/// </summary>
public sealed class ChunkBuffer
{
    private const int Alignment = 64;
    private const int SmallestBytes = 4096;
    private const int KeptOfEachSize = 32;

    private static readonly ConcurrentQueue<ChunkBuffer>[] Pool =
        [.. Enumerable.Range(0, 32).Select(_ => new ConcurrentQueue<ChunkBuffer>())];

    private readonly byte[] array;
    private readonly int start;
    private readonly int size;
    private int length;

    private ChunkBuffer(int size)
    {
        this.size = size;
        array = GC.AllocateUninitializedArray<byte>((1 << size) + Alignment, pinned: true);
        var address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        start = (int)(-address & (Alignment - 1));
        Address = address + start;
    }

    /// <value>Of the first byte; valid as long as this object is referred to.</value>
    public nint Address { get; }

    /// <value>Bytes in use; may shrink.</value>
    public int Length
    {
        get => length;
        set
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)value, 1U << size, nameof(value));
            length = value;
        }
    }

    public Span<byte> Span => array.AsSpan(start, length);

    /// <summary>Memory with any content.</summary>
    public static ChunkBuffer Rent(int bytes)
    {
        var size = BitOperations.Log2(BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, SmallestBytes)));
        if (!Pool[size].TryDequeue(out var buffer)) buffer = new ChunkBuffer(size);
        buffer.length = bytes;
        return buffer;
    }

    /// <summary>Gives it back; once, and not used afterwards.</summary>
    public void Return()
    {
        if (Pool[size].Count < KeptOfEachSize) Pool[size].Enqueue(this);
    }

    /// <summary>Copies from memory elsewhere.</summary>
    public void Fill(int at, nint source, int bytes) => Marshal.Copy(source, array, Place(at, bytes), bytes);

    /// <summary>Copies to memory elsewhere.</summary>
    public void Spill(int at, nint target, int bytes) => Marshal.Copy(array, Place(at, bytes), target, bytes);

    private int Place(int at, int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(at);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, length - at);
        return start + at;
    }
}
