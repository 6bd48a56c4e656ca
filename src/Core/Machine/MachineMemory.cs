using System.Globalization;

namespace Distributed.Core.Machine;

/// <summary>Memory that the system lets this process have: the least limit of its control groups, else what the machine has.</summary>
/// <remarks>
/// Not <see cref="GC.GetGCMemoryInfo()"/>: in a container that tells what the managed heap may have, and most of a silo's
/// memory is libtorch's.
/// </remarks>
public static class MachineMemory
{
    private const string Version1File = "memory.limit_in_bytes", Version2File = "memory.max";

    /// <param name="root">Where the system's files are; <c>/</c> but in tests.</param>
    /// <returns>Bytes.</returns>
    public static long Read(string root = "/")
    {
        var machine = OfMachine(root);
        return Math.Min(ReadLimit(root) ?? machine, machine);
    }

    /// <summary>The least limit of the process's control groups.</summary>
    /// <inheritdoc cref="Read"/>
    /// <returns>Bytes; null: it has none that is less than the machine's memory.</returns>
    public static long? ReadLimit(string root = "/")
    {
        var limits = Groups(root).Select(Limit).OfType<long>().ToList();
        return limits.Count > 0 && limits.Min() < OfMachine(root) ? limits.Min() : null;
    }

    /// <summary>Files that may hold a limit: of the process's group and of all above it.</summary>
    private static IEnumerable<string> Groups(string root)
    {
        var control = Path.Combine(root, "sys/fs/cgroup");
        foreach (var line in Lines(Path.Combine(root, "proc/self/cgroup")))
        {
            // hierarchy:controllers:path, where version 2 has no controllers.
            var parts = line.Split(':', 3);
            if (parts.Length < 3 || (parts[1].Length > 0 && !parts[1].Split(',').Contains("memory"))) continue;
            var (top, file) = parts[1].Length == 0 ? (control, Version2File) : (Path.Combine(control, "memory"), Version1File);
            for (var group = parts[2].Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
            {
                yield return Path.Combine(top, group, file);
                if (group.Length == 0) break;
            }
        }
    }

    private static long? Limit(string file) =>
        Lines(file).FirstOrDefault() is { } text
        && long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes > 0 ? bytes : null;

    private static long OfMachine(string root)
    {
        var total = Lines(Path.Combine(root, "proc/meminfo"))
            .FirstOrDefault(line => line.StartsWith("MemTotal:", StringComparison.Ordinal));
        return total?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kibi, ..]
            && long.TryParse(kibi, NumberStyles.None, CultureInfo.InvariantCulture, out var amount)
            ? amount * 1024
            : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    }

    private static string[] Lines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
