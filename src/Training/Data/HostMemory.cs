using System.Runtime.InteropServices;

namespace Distributed.Training.Data;

/// <summary>
/// Native memory aligned to 64 bytes: plain bytes that no collector moves, for sets beyond 2 GiB and for batches handed to libtorch.
/// </summary>
internal sealed unsafe class HostMemory : SafeHandle
{
    private const nuint Alignment = 64;

    /// <summary>Zeroed.</summary>
    public HostMemory(long bytes)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Bytes = bytes;
        var pointer = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), Alignment);
        NativeMemory.Clear(pointer, (nuint)bytes);
        SetHandle((nint)pointer);
    }

    public long Bytes { get; }

    public nint Address => handle;

    public override bool IsInvalid => handle == 0;

    /// <summary>A window on the memory; valid until this is disposed.</summary>
    public Span<byte> Slice(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Bytes - length);
        return new Span<byte>((byte*)handle + offset, length);
    }

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        return true;
    }
}
