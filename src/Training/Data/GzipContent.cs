using System.Buffers.Binary;
using System.IO.Compression;

namespace Distributed.Training.Data;

/// <summary>
/// What a gzip file holds: all its members one after another (RFC 1952, 2.2), zeros behind a member passed over, every checksum compared.
/// </summary>
/// <remarks>
/// .NET's own stream misses a cut end and ignores what follows the data. It reads ahead, so where a member's data end is not known; but the
/// eight bytes that must follow them, checksum and length of what came out, are, and they are looked for in the last part that it read.
/// </remarks>
internal sealed class GzipContent(FileStream file) : ReadOnlyStream
{
    private const int TrailerBytes = 8;
    private const int HeaderCrcFlag = 2, ExtraFlag = 4, NameFlag = 8, CommentFlag = 16, ReservedFlags = 0xE0;

    private readonly Feed feed = new(file);
    private DeflateStream? member;
    private long next;
    private uint crc;
    private long length;
    private bool ended;

    /// <summary>The bytes that every gzip file begins with.</summary>
    public static ReadOnlySpan<byte> Magic => [0x1F, 0x8B];

    /// <exception cref="InvalidDataException">The file is damaged, cut short, or goes on with something else.</exception>
    public override int Read(Span<byte> buffer)
    {
        while (!ended && buffer.Length > 0)
        {
            member ??= Begin();
            var read = member.Read(buffer);
            if (read > 0)
            {
                crc = Crc32.Append(crc, buffer[..read]);
                length += read;
                return read;
            }

            End();
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) member?.Dispose();
        base.Dispose(disposing);
    }

    private DeflateStream Begin()
    {
        file.Position = next;
        ReadHeader();
        feed.Begin();
        (crc, length) = (0, 0);
        return new DeflateStream(feed, CompressionMode.Decompress, leaveOpen: true);
    }

    private void ReadHeader()
    {
        var sum = 0u;
        if (Next() != Magic[0] || Next() != Magic[1] || Next() is not 8) throw new InvalidDataException($"no gzip header at byte {next}");
        var flags = Next();
        if ((flags & ReservedFlags) != 0)
            throw new InvalidDataException($"the gzip header at byte {next} has flags that no version knows: damaged");
        for (var i = 0; i < 6; i++) Next();
        if ((flags & ExtraFlag) != 0)
            for (var left = Next() | (Next() << 8); left > 0; left--) Next();
        if ((flags & NameFlag) != 0) SkipText();
        if ((flags & CommentFlag) != 0) SkipText();
        var expected = (ushort)sum;
        if ((flags & HeaderCrcFlag) != 0 && (Next() | (Next() << 8)) != expected)
            throw new InvalidDataException($"the gzip header at byte {next} does not fit its checksum: damaged");

        int Next()
        {
            var value = file.ReadByte();
            if (value < 0) throw CutShort();
            sum = Crc32.Append(sum, [(byte)value]);
            return value;
        }

        void SkipText()
        {
            while (Next() != 0)
            {
            }
        }
    }

    private void End()
    {
        member!.Dispose();
        member = null;
        Span<byte> trailer = stackalloc byte[TrailerBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, crc);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], (uint)length);
        var window = new byte[Math.Min(feed.LastEnd + TrailerBytes, file.Length) - feed.LastStart];
        var read = RandomAccess.Read(file.SafeFileHandle, window, feed.LastStart);
        var found = false;
        for (var from = 0; window.AsSpan(from, read - from).IndexOf(trailer) is >= 0 and var place; from += place + 1)
        {
            found = true;
            var follows = SkipZeros(feed.LastStart + from + place + TrailerBytes);
            ended = follows == file.Length;
            if (!ended && !IsMember(follows)) continue;
            next = follows;
            return;
        }

        if (found) throw new InvalidDataException("data after the end of its gzip members that are neither a member nor zeros");
        if (feed.LastEnd + TrailerBytes > file.Length) throw CutShort();
        throw new InvalidDataException("the gzip checksum does not fit the data: damaged");
    }

    private bool IsMember(long place)
    {
        Span<byte> start = stackalloc byte[2];
        return RandomAccess.Read(file.SafeFileHandle, start, place) == start.Length && start.SequenceEqual(Magic);
    }

    private long SkipZeros(long place)
    {
        var buffer = new byte[1 << 14];
        while (true)
        {
            var read = RandomAccess.Read(file.SafeFileHandle, buffer, place);
            if (read == 0) return place;
            var other = buffer.AsSpan(0, read).IndexOfAnyExcept((byte)0);
            if (other >= 0) return place + other;
            place += read;
        }
    }

    private static InvalidDataException CutShort() => new("the gzip data end too soon: cut short?");

    /// <summary>Hands the file to the decompressor and knows which part it got last.</summary>
    private sealed class Feed(FileStream file) : ReadOnlyStream
    {
        public long LastStart { get; private set; }

        public long LastEnd { get; private set; }

        public void Begin() => LastStart = LastEnd = file.Position;

        public override int Read(Span<byte> buffer)
        {
            var start = file.Position;
            var read = file.Read(buffer);
            if (read > 0) (LastStart, LastEnd) = (start, start + read);
            return read;
        }
    }
}
