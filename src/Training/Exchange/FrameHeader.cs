using System.Runtime.InteropServices;
using System.Security.Cryptography;

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

/// <summary>What stands before each payload on an exchange socket; little-endian.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct FrameHeader
{
    public const uint Mark = 0x31585444; // "DTX1"
    public const int Size = 72;
    public const int SealedSize = 56;

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

    /// <summary>Tag over all that stands before it.</summary>
    public UInt128 Tag;

    public override readonly string ToString() => FormattableString.Invariant(
        $"{Kind} of silo {Sender}, job {Job:x16}, generation {Generation}, step {Step}, bucket {Bucket}, slice {Slice}, partial {Partial}, {PayloadBytes}+{TrailerBytes} bytes, sequence {Sequence}");
}

/// <summary>Seals and checks the headers of one direction of a link: AES-GMAC with the sequence as nonce, so that no frame passes twice.</summary>
internal sealed unsafe class FrameSeal(ReadOnlySpan<byte> key) : IDisposable
{
    private const int TagBytes = 16;
    private readonly AesGcm cipher = new(key, TagBytes);

    public void Seal(FrameHeader* header)
    {
        Span<byte> nonce = stackalloc byte[12];
        BitConverter.TryWriteBytes(nonce, header->Sequence);
        cipher.Encrypt(nonce, [], [], new Span<byte>(&header->Tag, TagBytes), new ReadOnlySpan<byte>(header, FrameHeader.SealedSize));
    }

    /// <param name="sequence">The one that must come next.</param>
    public bool Check(FrameHeader* header, ulong sequence)
    {
        Span<byte> nonce = stackalloc byte[12];
        BitConverter.TryWriteBytes(nonce, sequence);
        try
        {
            cipher.Decrypt(nonce, [], new ReadOnlySpan<byte>(&header->Tag, TagBytes), [], new ReadOnlySpan<byte>(header, FrameHeader.SealedSize));
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => cipher.Dispose();
}
