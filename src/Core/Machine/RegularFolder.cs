namespace Distributed.Core.Machine;

/// <summary>Lists folders so that no link leads out of a folder with a <see cref="PathFence"/>.</summary>
public static class RegularFolder
{
    /// <summary>Names in a folder, in no order.</summary>
    /// <exception cref="IOException">There is no such folder, or the path leads out of a fenced one.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be listed.</exception>
    public static IReadOnlyList<string> Names(string folder)
    {
        if (!OperatingSystem.IsLinux()) return [.. Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry))];
        using var found = FoundPath.Find(folder, out var error) ?? throw FoundPath.Describe(folder, error);
        PathFence.Demand(folder, found);
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(found.Way).Select(entry => Path.GetFileName(entry))];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UnauthorizedAccessException($"Access to the path '{folder}' is denied.", e);
        }
    }
}
