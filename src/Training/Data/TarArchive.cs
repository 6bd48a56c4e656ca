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
        using var content = IsGzip(file) ? new GZipStream(file, CompressionMode.Decompress) : (Stream)file;
        try
        {
            using var tar = new TarReader(content, leaveOpen: true);
            while (tar.GetNextEntry() is { } next)
            {
                if (next.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                    entry(next.Name, next.DataStream ?? Stream.Null, next.Length);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException)
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
