using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Testing;
using Distributed.Training.Data;

namespace Distributed.Training.Tests.Data;

public sealed class TarArchiveTests : IDisposable
{
    private const int BlockBytes = 512;
    private const int NameField = 0, ModeField = 100, ChecksumField = 148;

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Read_WholeArchive_GivesEveryFile(TarEntryFormat format)
    {
        var archive = Archive(format, longName: format is TarEntryFormat.Pax or TarEntryFormat.Gnu);
        foreach (var bytes in new[] { archive, Zip(archive) })
            Assert.Equal([0, 1, 512, 3000], Read(bytes).Select(content => content.Length));
    }

    [Theory]
    [InlineData(TarEntryFormat.V7)]
    [InlineData(TarEntryFormat.Ustar)]
    [InlineData(TarEntryFormat.Pax)]
    [InlineData(TarEntryFormat.Gnu)]
    public void Read_OneByteOfAHeaderDamaged_IsInvalidAndNamesFileAndRemedy(TarEntryFormat format)
    {
        var archive = Archive(format, longName: false);
        foreach (var header in HeadersOf(archive))
        {
            foreach (var field in new[] { NameField, ModeField, ChecksumField + 3, BlockBytes - 1 })
                Assert.Contains(
                    $"the header at byte {header} has the checksum", Refusal(With(archive, header + field, b => (byte)(b ^ 1))),
                    StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_HeaderReplacedByZeros_IsInvalid()
    {
        var archive = Archive(TarEntryFormat.Ustar, longName: false);
        var header = HeadersOf(archive)[2];
        var blank = (byte[])archive.Clone();
        blank.AsSpan(header, BlockBytes).Clear();
        Assert.Contains("after the end of the archive", Refusal(blank), StringComparison.Ordinal);

        var sumless = (byte[])archive.Clone();
        sumless.AsSpan(header + ChecksumField, 8).Clear();
        Assert.Contains("has the checksum 0", Refusal(sumless), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ChecksumOfSignedBytes_IsTaken()
    {
        var archive = With(Archive(TarEntryFormat.Ustar, longName: false), BlockBytes - 1, _ => 0x80);
        var header = archive.AsSpan(0, BlockBytes);
        Encoding.ASCII.GetBytes("        ").CopyTo(header[ChecksumField..]);
        var sum = 0;
        foreach (var b in header) sum += (sbyte)b;
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header[ChecksumField..]);
        Assert.Equal(4, Read(archive).Count);
    }

    [Theory]
    [InlineData("31 comment=a record of another\n13 size=3000\n")]
    [InlineData("13 size=3000\n")]
    public void Read_SizeInAnExtendedHeader_IsFollowed(string records)
    {
        // As for files whose size is too large for their own header, where zero stands.
        var archive = Archive(TarEntryFormat.Pax, longName: false);
        var header = HeadersOf(archive)[^2];
        Span<byte> content = archive.AsSpan(header + BlockBytes, BlockBytes);
        content.Clear();
        Encoding.ASCII.GetBytes(records).CopyTo(content);
        SetSize(archive, header, records.Length);
        SetSize(archive, header + (2 * BlockBytes), 0);
        Assert.Equal([0, 1, 512, 3000], Read(archive).Select(bytes => bytes.Length));
    }

    [Fact]
    public void Read_ExtendedHeaderOfEndlessLength_IsInvalid()
    {
        var archive = Archive(TarEntryFormat.Pax, longName: false);
        SetSize(archive, 0, 1 << 21);
        Assert.Contains("claims 2097152 bytes, expected at most 1048576", Refusal(archive), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileWithHoles_IsNamedWithTheRemedy()
    {
        var archive = Archive(TarEntryFormat.Gnu, longName: false);
        archive[156] = (byte)'S';
        SetSize(archive, 0, 0);
        var error = Assert.Throws<JobException>(() => Read(archive));
        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains(
            $"{directory.File("archive")}:n/0.txt: is a sparse file; unpack the archive", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileWithHolesInTheOldestFormOfPax_IsNamedWithTheRemedy()
    {
        var archive = Archive(TarEntryFormat.Pax, longName: false);
        var header = HeadersOf(archive)[0];
        var records = Encoding.ASCII.GetBytes("27 GNU.sparse.name=n/0.txt\n25 GNU.sparse.offset=512\n25 GNU.sparse.offset=999\n");
        Span<byte> content = archive.AsSpan(header + BlockBytes, BlockBytes);
        content.Clear();
        records.CopyTo(content);
        SetSize(archive, header, records.Length);
        var error = Assert.Throws<JobException>(() => Read(archive));
        Assert.Contains("archive:n/0.txt: is a sparse file", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html>", "an HTML or XML page")]
    [InlineData("PK\u0003\u0004....", "a zip archive")]
    [InlineData("BZh91AY", "a bzip2 file")]
    [InlineData("", "empty")]
    public void Read_FileOfAnotherKind_SaysWhatItIs(string content, string expected) =>
        Assert.Contains($"is {expected}, expected a tar archive", Refusal(Encoding.Latin1.GetBytes(content)), StringComparison.Ordinal);

    [Fact]
    public void Read_GzipWithoutItsLastBytes_IsInvalid()
    {
        var whole = Zip(Archive(TarEntryFormat.Ustar, longName: false));
        for (var missing = 1; missing <= 8; missing++)
            Assert.Contains("gzip", Refusal(whole[..^missing]), StringComparison.Ordinal);
    }

    private List<byte[]> Read(byte[] archive)
    {
        var path = directory.File("archive");
        File.WriteAllBytes(path, archive);
        List<byte[]> files = [];
        TarArchive.Read(path, (_, entry) =>
        {
            var content = new byte[entry.Length];
            entry.DataStream?.ReadExactly(content);
            Assert.All(content, b => Assert.Equal(65, b));
            files.Add(content);
            return true;
        });
        return files;
    }

    private string Refusal(byte[] archive)
    {
        var error = Assert.Throws<JobException>(() => Read(archive));
        Assert.Equal(ErrorCodes.DataInvalid, error.Code);
        Assert.Contains(directory.File("archive"), error.Message, StringComparison.Ordinal);
        Assert.Contains("download it again", error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    private static byte[] Archive(TarEntryFormat format, bool longName)
    {
        using MemoryStream stream = new();
        using (TarWriter writer = new(stream, format, leaveOpen: true))
        {
            foreach (var length in new[] { 0, 1, 512, 3000 })
            {
                using MemoryStream content = new([.. Enumerable.Repeat((byte)65, length)]);
                var name = $"{(longName ? new string('n', 300) : "n")}/{length}.txt";
                TarEntry entry = format switch
                {
                    TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
                    _ => new GnuTarEntry(TarEntryType.RegularFile, name),
                };
                entry.DataStream = content;
                writer.WriteEntry(entry);
            }
        }

        return stream.ToArray();
    }

    /// <summary>Blocks that are neither content nor end, in an archive of <see cref="Archive"/>.</summary>
    private static List<int> HeadersOf(byte[] archive)
    {
        List<int> headers = [];
        for (var place = 0; archive[place] != 0;)
        {
            headers.Add(place);
            var size = Convert.ToInt32(Encoding.ASCII.GetString(archive, place + 124, 11), 8);
            place += BlockBytes + ((size + BlockBytes - 1) / BlockBytes * BlockBytes);
        }

        return headers;
    }

    private static byte[] With(byte[] archive, int place, Func<byte, byte> change)
    {
        var changed = (byte[])archive.Clone();
        changed[place] = change(changed[place]);
        return changed;
    }

    private static void SetSize(byte[] archive, int header, int size)
    {
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0')).CopyTo(archive, header + 124);
        Encoding.ASCII.GetBytes("        ").CopyTo(archive, header + ChecksumField);
        var sum = archive.AsSpan(header, BlockBytes).ToArray().Sum(b => b);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(archive, header + ChecksumField);
    }

    private static byte[] Zip(byte[] content)
    {
        using MemoryStream zipped = new();
        using (GZipStream gzip = new(zipped, CompressionLevel.Fastest)) gzip.Write(content);
        return zipped.ToArray();
    }
}
