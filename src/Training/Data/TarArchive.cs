using System.Formats.Tar;
using System.IO.Compression;

namespace Distributed.Training.Data;

/// <summary>Streams through a .tar or .tar.gz: nothing is unpacked to disk, links are passed over.</summary>
internal static class TarArchive
{
    /// <param name="entry">Called for every regular file with its name, content and length.</param>
    /// <exception cref="Core.JobException">The archive is damaged or cut short.</exception>
    public static void Read(string path, Action<string, Stream, long> entry)
    {
        using var file = DataFile.OpenRead(path);
        var zipped = IsGzip(file);
        using var content = zipped ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        try
        {
            // The reader takes a stream that just ends for the end of the archive; only the zero blocks tell it from a cut one.
            using var watched = new TarWatch(content);
            using var tar = new TarReader(watched, leaveOpen: true);
            while (tar.GetNextEntry() is { } next)
            {
                if (next.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                    entry(next.Name, next.DataStream ?? Stream.Null, next.Length);
            }

            watched.CopyTo(Stream.Null);
            if (!watched.Blocks.HasEnd) throw DataFile.Invalid(path, "ends without the marker of a complete tar archive", "download it again");
            if (zipped) GzipEnd.Check(file, watched.Blocks.Length, path);
        }
        // The reader lets three more through: numbers in base 256 beyond 64 bits, an extended header longer than it may be, and files with holes.
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or OverflowException or InvalidOperationException or NotSupportedException)
        {
            throw DataFile.Invalid(path, $"no complete tar archive ({e.Message})", "download it again", e);
        }
    }

    private static bool IsGzip(FileStream file)
    {
        Span<byte> magic = stackalloc byte[2];
        var read = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 2 && magic[0] == 0x1F && magic[1] == 0x8B;
    }
}
