using System.Text;

namespace Distributed.Training.Data;

/// <summary>
/// Follows the 512-byte blocks of a tar archive as they pass: every header must have the checksum that it bears, and
/// nothing may follow the end.
/// </summary>
/// <remarks>
/// .NET's reader compares no checksum, and takes a header of zeros, or with a checksum of zero, for the end of the archive.
/// </remarks>
internal sealed class TarBlocks
{
    private const int BlockBytes = 512;
    private const int EndMarkerBytes = 2 * BlockBytes;
    private const int LongestExtendedHeader = 1 << 20;
    private const int TypeField = 156;
    private const char ExtendedHeader = 'x';
    private const char SparseFile = 'S';

    private static readonly Range NameField = 0..100, SizeField = 124..136, ChecksumField = 148..156;

    private readonly byte[] header = new byte[BlockBytes];
    private byte[] extended = [];
    private int filled, extendedFilled;
    private long passed, content, zeros;
    private long? nextSize;
    private bool ended;

    /// <value>Bytes seen so far.</value>
    public long Length => passed;

    /// <value>The two zero blocks that end an archive have passed.</value>
    public bool HasEnd => zeros >= EndMarkerBytes;

    /// <value>Name of the entry that passed last if it is a file with holes; otherwise null.</value>
    public string? Sparse { get; private set; }

    /// <summary>Takes the archive's next bytes.</summary>
    /// <exception cref="InvalidDataException">They belong to no tar archive; names the place in the archive.</exception>
    public void Pass(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var part = bytes;
            if (ended) CountZeros(part);
            else if (content > 0) PassContent(part = part[..(int)Math.Min(part.Length, content)]);
            else PassHeader(part = part[..Math.Min(part.Length, BlockBytes - filled)]);
            passed += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    private void CountZeros(ReadOnlySpan<byte> bytes)
    {
        var other = bytes.IndexOfAnyExcept((byte)0);
        if (other >= 0) throw new InvalidDataException($"data at byte {passed + other}, after the end of the archive");
        zeros += bytes.Length;
    }

    private void PassContent(ReadOnlySpan<byte> bytes)
    {
        var wanted = Math.Min(bytes.Length, extended.Length - extendedFilled);
        bytes[..wanted].CopyTo(extended.AsSpan(extendedFilled));
        extendedFilled += wanted;
        content -= bytes.Length;
        // The reader looks at the records before it has passed what fills their last block.
        if (extended.Length == 0 || extendedFilled < extended.Length) return;
        var records = Encoding.UTF8.GetString(extended).Split('\n');
        nextSize = long.TryParse(ValueIn(records, "size"), out var size) ? size : nextSize;
        if (Array.Exists(records, r => r.Contains(" GNU.sparse.", StringComparison.Ordinal)))
            Sparse = ValueIn(records, "GNU.sparse.name") ?? ValueIn(records, "path") ?? "an entry";
        (extended, extendedFilled) = ([], 0);
    }

    private void PassHeader(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(header.AsSpan(filled));
        filled += bytes.Length;
        if (filled < BlockBytes) return;
        filled = 0;
        ended = !header.AsSpan().ContainsAnyExcept((byte)0);
        if (ended) zeros = BlockBytes;
        else BeginContent(passed + bytes.Length - BlockBytes);
    }

    private void BeginContent(long place)
    {
        CheckSum(place);
        var size = Number(header.AsSpan(SizeField));
        var type = (char)header[TypeField];
        if (type == ExtendedHeader)
        {
            if (size is < 0 or > LongestExtendedHeader)
                throw new InvalidDataException(
                    $"the extended header at byte {place} claims {size} bytes, expected at most {LongestExtendedHeader}");
            extended = new byte[size];
        }
        else if (type is not ('g' or 'K' or 'L'))
        {
            size = nextSize ?? size;
            nextSize = null;
            Sparse = type == SparseFile ? NameIn(header) : null;
        }

        if (size is < 0 or > long.MaxValue - BlockBytes)
            throw new InvalidDataException($"the header at byte {place} claims {size} bytes of data");
        content = (size + BlockBytes - 1) / BlockBytes * BlockBytes;
    }

    /// <summary>The sum of a header's bytes, its own field taken as spaces; some old programs summed signed bytes.</summary>
    private void CheckSum(long place)
    {
        var field = header.AsSpan(ChecksumField);
        var found = Number(field);
        field.Fill((byte)' ');
        long sum = 0, signed = 0;
        foreach (var b in header)
        {
            sum += b;
            signed += (sbyte)b;
        }

        if (found != sum && found != signed)
            throw new InvalidDataException($"the header at byte {place} has the checksum {found}, but its bytes give {sum}");
    }

    private static string NameIn(ReadOnlySpan<byte> header)
    {
        var name = header[NameField];
        return Encoding.UTF8.GetString(name[..(name.IndexOf((byte)0) is >= 0 and var end ? end : name.Length)]);
    }

    /// <summary>Octal digits between spaces or zeros; or, marked by the highest bit, a big-endian number.</summary>
    private static long Number(ReadOnlySpan<byte> field)
    {
        var number = 0L;
        if ((field[0] & 0x80) != 0)
        {
            foreach (var b in field[^8..]) number = (number << 8) | b;
            return number;
        }

        foreach (var b in field.Trim([(byte)' ', (byte)0]))
        {
            if (b is < (byte)'0' or > (byte)'7') break;
            number = (number << 3) | (long)(b - '0');
        }

        return number;
    }

    /// <summary>A value of an extended header, whose records are <c>LENGTH key=VALUE</c>.</summary>
    private static string? ValueIn(string[] records, string key)
    {
        foreach (var record in records)
        {
            var place = record.IndexOf($" {key}=", StringComparison.Ordinal);
            if (place > 0 && long.TryParse(record.AsSpan(0, place), out _)) return record[(place + key.Length + 2)..];
        }

        return null;
    }
}
