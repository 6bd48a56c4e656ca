namespace Distributed.Core;

/// <summary>Lists folders so that no link leads out of a folder with a <see cref="PathFence"/>.</summary>
public static class RegularFolder
{
    /// <summary>Names in a folder, in no order.</summary>
    /// <exception cref="IOException">There is no such folder, or the path leads out of a fenced one.</exception>
    public static IReadOnlyList<string> Names(string folder)
    {
        if (!OperatingSystem.IsLinux()) return [.. Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry))];
        using var found = FoundPath.Find(folder) ?? throw new DirectoryNotFoundException("no such folder");
        PathFence.Demand(folder, found);
        return [.. Directory.EnumerateFileSystemEntries(found.Way).Select(entry => Path.GetFileName(entry))];
    }
}
