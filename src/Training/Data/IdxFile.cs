using System.Buffers.Binary;

namespace Distributed.Training.Data;

/// <summary>An idx file of unsigned bytes, plain or gzipped: magic, one big-endian length a dimension, data.</summary>
internal static class IdxFile
{
    /// <summary>No deflate stream expands further; bounds what a header may claim.</summary>
    private const long LargestExpansion = 1032;

    public static int HeaderBytes(int dimensions) => 4 + (4 * dimensions);

    /// <exception cref="Core.Jobs.JobException">Names the file and whether magic, lengths or the amount of data is wrong.</exception>
    public static (int[] Shape, byte[] Data) Read(string file, int dimensions)
    {
        using var raw = DataFile.OpenRead(file);
        using var content = DataFile.Content(raw);
        var zipped = content is GzipContent;
        if (!zipped && FileKind.Of(DataFile.Start(raw)) is { } kind)
            throw DataFile.Invalid(file, $"is {kind}, expected idx data, plain or gzipped", "download it again");
        var header = new byte[HeaderBytes(dimensions)];
        DataFile.ReadExactly(content, header, file);
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        var expected = 0x800u + (uint)dimensions;
        if (magic != expected)
        {
            var inside = zipped && FileKind.Of(header) is { } inner ? $" ({inner} inside gzip)" : "";
            throw DataFile.Invalid(
                file, $"begins with 0x{magic:x8}{inside}, expected 0x{expected:x8} (idx of bytes, {dimensions} dimensions)");
        }

        var shape = new int[dimensions];
        var size = 1L;
        for (var d = 0; d < dimensions; d++)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(4 + (4 * d)));
            if (length > int.MaxValue || (size *= length) > raw.Length * (zipped ? LargestExpansion : 1) || size > Array.MaxLength)
                throw DataFile.Invalid(file, $"claims {length} in dimension {d}, far more data than its {raw.Length} bytes can hold");
            shape[d] = (int)length;
        }

        var data = new byte[size];
        DataFile.ReadExactly(content, data, file);
        if (MoreFollows(content, file)) throw DataFile.Invalid(file, $"holds more than the {size} data bytes that its header claims");
        return (shape, data);
    }

    private static bool MoreFollows(Stream content, string file)
    {
        try
        {
            return content.ReadByte() >= 0;
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw DataFile.Invalid(file, $"cannot be read to its end ({e.Message})", "download it again", e);
        }
    }
}
