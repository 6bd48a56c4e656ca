using System.Formats.Tar;

namespace Distributed.Training.Data;

/// <summary>Streams through a .tar or .tar.gz: nothing is unpacked to disk.</summary>
internal static class TarArchive
{
    /// <param name="entry">Called for every entry with its number, from 0 on; false: the rest is of no interest.</param>
    /// <exception cref="Core.Jobs.JobException">The archive is damaged or cut short; what is not read is not checked.</exception>
    public static void Read(string path, Func<int, TarEntry, bool> entry)
    {
        using var file = DataFile.OpenRead(path);
        using var content = DataFile.Content(file);
        if (content is not GzipContent && FileKind.Of(DataFile.Start(file)) is { } kind and not FileKind.TarArchive)
            throw DataFile.Invalid(
                path, $"is {kind}, expected a tar archive, plain or gzipped", "download it again, or unpack it and name the folder");
        // The reader takes a stream that just ends for the end of the archive; only the zero blocks tell it from a cut one.
        using var watched = new TarWatch(content);
        try
        {
            using var tar = new TarReader(watched, leaveOpen: true);
            for (var number = 0; tar.GetNextEntry() is { } next; number++)
                if (!entry(number, next)) return;
            watched.CopyTo(Stream.Null);
            if (!watched.Blocks.HasEnd)
                throw DataFile.Invalid(path, "ends without the marker of a complete tar archive", "download it again");
        }
        // .NET's reader takes no files with holes in two of their forms.
        catch (Exception e) when (e is InvalidDataException or NotSupportedException && watched.Blocks.Sparse is not null)
        {
            throw DataFile.Invalid(
                $"{path}:{watched.Blocks.Sparse}", "is a sparse file",
                "unpack the archive and name the folder, or pack it without --sparse", e);
        }
        // The reader lets three more through: numbers in base 256 beyond 64 bits, an extended header longer than it may be, and entries of
        // types that it does not know.
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or OverflowException
            or InvalidOperationException or NotSupportedException)
        {
            throw DataFile.Invalid(path, $"not a complete tar archive ({e.Message})", "download it again", e);
        }
    }
}
