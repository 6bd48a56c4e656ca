using System.Collections.Immutable;

namespace Distributed.Core.Machine;

/// <summary>Folders that no path below them leads out of, whatever links others put there, and whenever they turn them.</summary>
/// <remarks>A path is opened first, and where the descriptor really points is looked at then; what is read is what was looked at.
/// The fence belongs to the process, so that no reader can forget it. It holds for readers that go through <see cref="RegularFile"/> and
/// <see cref="RegularFolder"/>.</remarks>
public static class PathFence
{
    private static ImmutableList<string> roots = [];

    /// <summary>Puts a fence around folders until the answer is disposed.</summary>
    public static IDisposable Around(params IReadOnlyCollection<string> folders)
    {
        string[] fenced = [.. folders.Select(WithSlash)];
        ImmutableInterlocked.Update(ref roots, known => known.AddRange(fenced));
        return new Fence(fenced);
    }

    /// <exception cref="IOException">The path is below a fenced folder and leads out of it. One that leads nowhere stays.</exception>
    public static void Demand(string path)
    {
        if (RootOf(path) is null) return;
        using var found = FoundPath.Find(path);
        if (found is not null) Demand(path, found);
    }

    internal static void Demand(string path, FoundPath found)
    {
        if (RootOf(path) is not { } root) return;
        using var home = FoundPath.Find(root);
        if (home?.Place is not { } real || found.Place is not { } place
            || !WithSlash(place).StartsWith(WithSlash(real), StringComparison.Ordinal))
            throw new IOException($"it leads out of {root.TrimEnd('/')} through a link");
    }

    /// <summary>The innermost fenced folder that the path names.</summary>
    private static string? RootOf(string path)
    {
        var known = roots;
        if (known.IsEmpty || !OperatingSystem.IsLinux()) return null;
        var full = WithSlash(path);
        return known.Where(root => full.StartsWith(root, StringComparison.Ordinal)).MaxBy(root => root.Length);
    }

    private static string WithSlash(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)).TrimEnd('/') + "/";

    private sealed class Fence(string[] fenced) : IDisposable
    {
        private int gone;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref gone, 1) != 0) return;
            foreach (var root in fenced) ImmutableInterlocked.Update(ref roots, known => known.Remove(root, StringComparer.Ordinal));
        }
    }
}
