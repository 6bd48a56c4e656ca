using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Training.Native;

namespace Distributed.Training.Data;

/// <summary>Reading data files so that every failure names the file, what was found and what was expected.</summary>
internal static class DataFile
{
    private const int Chunk = 1 << 24;

    public static FileStream OpenRead(string file)
    {
        AbortSignal.ThrowIfRaised();
        try
        {
            return RegularFile.OpenRead(file, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new JobException(ErrorCodes.PathMissing, $"{file}: no such file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobException(ErrorCodes.DataInvalid, $"{file}: cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>What the file holds: decompressed where its content, whatever its name, is gzip.</summary>
    public static Stream Content(FileStream file)
    {
        var zipped = Start(file).AsSpan().StartsWith(GzipContent.Magic);
        return zipped ? new GzipContent(file) : file;
    }

    /// <summary>The first bytes of a file, which is then back at its start.</summary>
    public static byte[] Start(FileStream file)
    {
        var start = new byte[Math.Min(FileKind.Needed, file.Length)];
        var read = RandomAccess.Read(file.SafeFileHandle, start, 0);
        return start[..read];
    }

    /// <summary>Fills the whole buffer.</summary>
    /// <exception cref="JobException">The stream ends early or its compression is damaged.</exception>
    public static void ReadExactly(Stream stream, Span<byte> buffer, string file)
    {
        var read = 0;
        try
        {
            for (var last = -1; read < buffer.Length && read != last;)
            {
                AbortSignal.ThrowIfRaised();
                last = read;
                var part = buffer.Slice(read, Math.Min(Chunk, buffer.Length - read));
                read += stream.ReadAtLeast(part, part.Length, throwOnEndOfStream: false);
            }
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            throw Invalid(file, $"cannot be read ({e.Message})", "download it again", e);
        }

        if (read < buffer.Length) throw Invalid(file, $"ends {buffer.Length - read} bytes early", "download it again");
    }

    public static JobException Invalid(string file, string found, string? hint = null, Exception? inner = null) =>
        new(ErrorCodes.DataInvalid, hint is null ? $"{file}: {found}." : $"{file}: {found}; {hint}.", inner);
}
