using System.Runtime.InteropServices;
using Distributed.Core.Jobs;

namespace Distributed.Training.Native;

/// <summary>Loads shared libraries by absolute path, and says in the loader's own words why one does not load.</summary>
internal static partial class SharedLibrary
{
    /// <returns>The library's handle; it stays loaded for the life of the process.</returns>
    /// <exception cref="JobException">Code <c>native</c>: which file, and all that the loader said.</exception>
    public static nint Load(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException e)
        {
            throw new JobException(ErrorCodes.Native, $"{path} does not load: {LoaderWords(e)}.", e);
        }
        catch (BadImageFormatException e)
        {
            throw new JobException(ErrorCodes.Native, $"{path} does not load: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <returns>The path with every link followed; null when nothing is there, as at the end of a dead link.</returns>
    public static unsafe string? RealPath(string path)
    {
        var resolved = RealPath(path, 0);
        if (resolved == 0) return null;
        var text = Marshal.PtrToStringUTF8(resolved);
        NativeMemory.Free((void*)resolved);
        return text;
    }

    /// <summary>.NET puts general advice into the first line and what the loader said into the others.</summary>
    private static string LoaderWords(DllNotFoundException e)
    {
        var lines = e.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join("; ", (lines.Length > 1 ? lines[1..] : lines).Distinct(StringComparer.Ordinal)).TrimEnd('.');
    }

    [LibraryImport("libc", EntryPoint = "realpath", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint RealPath(string path, nint resolved);
}
