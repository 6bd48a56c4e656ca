using System.Runtime.InteropServices;

namespace Distributed.Training.Exchange;

internal enum FrameKind : byte
{
    /// <summary>A partial of a slice, to the silo that reduces it; beside it the presence bits.</summary>
    Operand = 1,

    /// <summary>The reduced slice, from its owner to all; beside it presence bits and block norms.</summary>
    Sum = 2,

    /// <summary>A silo's loss sums by micro-batch, to all.</summary>
    Losses = 3,

    /// <summary>The sender ends the exchange; the payload says why.</summary>
    Abort = 4,
}

[Flags]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>A scaled sum in the slice is not finite.</summary>
    FoundInf = 1,
}

/// <summary>What precedes each payload on an exchange socket; little-endian.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FrameHeader
{
    public const uint Mark = 0x31585444; // "DTX1"
    /// <summary>
    /// A whole cache line, as trailers are whole ones: payloads stay aligned in the kernel's buffers, where copying is
    /// several times faster.
    /// </summary>
    public const int Size = 64;
    public const int SealedSize = 56;

    /// <summary>Bytes of the cache lines that so many bytes take.</summary>
    public static int WholeLines(int bytes) => (bytes + Size - 1) / Size * Size;

    /// <summary>Bytes next to a payload so that both fill whole lines.</summary>
    public static int Trailer(int payload, int trailer) => WholeLines(payload + trailer) - payload;

    public uint Magic;
    public FrameKind Kind;
    public FrameFlags Flags;
    public ushort Partial;
    public ulong Job;
    public uint Generation;
    public int Bucket;
    public long Step;

    /// <summary>Number of the slice in the plan.</summary>
    public int Slice;
    public int PayloadBytes;
    public int TrailerBytes;
    public int Sender;

    /// <summary>Counted from 0 by link and direction.</summary>
    public ulong Sequence;

    /// <summary>Tag over all that precedes it.</summary>
    public ulong Tag;

    public override readonly string ToString() =>
        FormattableString.Invariant($"{Kind} of silo {Sender}, job {Job:x16}, generation {Generation}, step {Step}, bucket {Bucket}, ")
        + FormattableString.Invariant($"slice {Slice}, partial {Partial}, {PayloadBytes}+{TrailerBytes} bytes, sequence {Sequence}");
}
