using Microsoft.Win32.SafeHandles;

namespace Distributed.Core.Machine;

/// <summary>Opens files that have an end: opening a named pipe would wait for a writer, a device may go on for ever.</summary>
public static class RegularFile
{
    /// <summary>Opens a file for reading; what was checked is what is read, whatever happens to the path meanwhile.</summary>
    /// <exception cref="IOException">
    /// The path leads to a folder, a pipe, a socket or a device, or out of a folder with a <see cref="PathFence"/>.
    /// </exception>
    public static SafeFileHandle Open(string path, FileOptions options = FileOptions.None)
    {
        if (Directory.Exists(path)) throw new IOException("it is a folder, expected a file");
        if (!OperatingSystem.IsLinux()) return File.OpenHandle(path, options: options);
        using var found = FoundPath.Find(path, out var error) ?? throw FoundPath.Describe(path, error);
        PathFence.Demand(path, found);
        if (found.Type is not (FoundPath.FileKinds.Regular or FoundPath.FileKinds.Unknown))
            throw new IOException("it is a pipe, a socket or a device, not a file");
        try
        {
            return File.OpenHandle(found.Way, options: options);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"Access to the path '{path}' is denied.", e);
        }
        catch (IOException e) when (e.Message.Contains(found.Way, StringComparison.Ordinal))
        {
            throw new IOException(e.Message.Replace(found.Way, path, StringComparison.Ordinal), e);
        }
    }

    /// <inheritdoc cref="Open(string, FileOptions)"/>
    public static FileStream OpenRead(string path, int bufferBytes = 4096, FileOptions options = FileOptions.None) =>
        new(Open(path, options), FileAccess.Read, bufferBytes);

    /// <inheritdoc cref="Open(string, FileOptions)"/>
    public static byte[] ReadAllBytes(string path)
    {
        using var file = OpenRead(path, 0);
        var content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }
}
