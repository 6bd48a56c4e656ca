using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class GzipContentTests : IDisposable
{
    private static readonly byte[] First = [.. Enumerable.Range(0, 70_000).Select(i => (byte)(i * i >> 3))];
    private static readonly byte[] Second = "the second member"u8.ToArray();

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(100_000)]
    public void Read_SeveralMembersAndZerosBehindThem_GivesAllOfThem(int zeros)
    {
        Assert.Equal([.. First, .. Second], Read([.. Zip(First), .. Zip(Second), .. new byte[zeros]]));
        // As bgzip ends its files, and as Python's reader allows between members.
        Assert.Equal(
            [.. First, .. Second],
            Read([.. Zip(First), .. Zip([]), .. Zip([]), .. new byte[zeros], .. Zip(Second), .. Zip([]), .. new byte[zeros]]));
        Assert.Equal(Second, Read([.. Zip([]), .. Zip(Second)]));
        Assert.Empty(Read([.. Zip([]), .. new byte[zeros]]));
    }

    [Fact]
    public void Read_ManySmallMembers_GivesAllOfThem() =>
        Assert.Equal(First, Read([.. First.Chunk(100).SelectMany(Zip)]));

    [Fact]
    public void Read_HeaderWithAllFields_IsPassedOverAndItsChecksumCompared()
    {
        byte[] header = [0x1F, 0x8B, 8, 0x1E, 0, 0, 0, 0, 0, 3, 4, 0, (byte)'B', (byte)'C', 0, 0, .. "name\0"u8, .. "comment\0"u8];
        var sum = new byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(sum, (ushort)Crc32.Append(0, header));
        byte[] file = [.. header, .. sum, .. Zip(Second)[10..]];
        Assert.Equal(Second, Read(file));
        file[17] ^= 1;
        Assert.Contains("header at byte 0", Refusal(file), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_CutAnywhere_IsFound()
    {
        byte[] whole = [.. Zip(Second), .. Zip(First[..300])];
        var firstEnd = Zip(Second).Length;
        for (var length = 1; length < whole.Length; length++)
        {
            if (length != firstEnd) Refusal(whole[..length]);
        }

        for (var length = firstEnd + 2; length < whole.Length; length += 7)
            Assert.Contains("cut short", Refusal(whole[..length]), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_OneBitFlippedAnywhere_IsFoundUnlessItDecidesNothing()
    {
        byte[] whole = [.. Zip(First[..300]), .. Zip(Second), 0, 0];
        var second = Zip(First[..300]).Length;
        byte[] expected = [.. First[..300], .. Second];
        for (var place = 0; place < whole.Length; place++)
        {
            // No checksum covers time, compression level and system of origin, the flag for text, and the bits that fill
            // a member's last byte.
            var ofHeader = place is >= 3 and < 10 || (place >= second + 3 && place < second + 10);
            var lastOfData = place == second - 9 || place == whole.Length - 2 - 9;
            foreach (var bit in new[] { 1, 0x10, 0x80 })
            {
                var damaged = (byte[])whole.Clone();
                damaged[place] ^= (byte)bit;
                if ((ofHeader || lastOfData) && Try(damaged) is { } read) Assert.Equal(expected, read);
                else Refusal(damaged);
            }
        }
    }

    [Fact]
    public void Read_OtherDataBehindTheEnd_IsRefused()
    {
        foreach (byte[] rest in new byte[][] { [1], [0, 0, 1], [.. new byte[50_000], 7], [0x1F], "<html>"u8.ToArray() })
            Assert.Contains("neither a member nor zeros", Refusal([.. Zip(First), .. rest]), StringComparison.Ordinal);
    }

    [Fact]
    public void Crc32_InAnyParts_IsThePublishedValue()
    {
        var text = Encoding.ASCII.GetBytes("123456789");
        for (var cut = 0; cut <= text.Length; cut++)
            Assert.Equal(0xCBF43926u, Crc32.Append(Crc32.Append(0, text.AsSpan(0, cut)), text.AsSpan(cut)));
    }

    private byte[]? Try(byte[] file)
    {
        try
        {
            return Read(file);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private string Refusal(byte[] file) => Assert.Throws<InvalidDataException>(() => Read(file)).Message;

    private byte[] Read(byte[] content)
    {
        File.WriteAllBytes(directory.File("x"), content);
        using var file = File.OpenRead(directory.File("x"));
        using GzipContent gzip = new(file);
        using MemoryStream result = new();
        gzip.CopyTo(result);
        return result.ToArray();
    }

    private static byte[] Zip(byte[] content)
    {
        // .NET writes nothing at all for no content.
        if (content.Length == 0) return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        using MemoryStream zipped = new();
        using (GZipStream gzip = new(zipped, CompressionLevel.Fastest)) gzip.Write(content);
        return zipped.ToArray();
    }
}
