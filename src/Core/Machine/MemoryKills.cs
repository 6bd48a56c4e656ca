using System.Globalization;

namespace Distributed.Core.Machine;

/// <summary>
/// How often this machine's kernel has ended a process because memory ran out, in a container's limit or in all of the machine.
/// </summary>
/// <remarks>
/// A process that is ended so cannot say why. A process that knows the count from before, and sees that it has grown, can.
/// </remarks>
public static class MemoryKills
{
    private const string Row = "oom_kill ";

    /// <param name="root">Where the system's files are; <c>/</c> but in tests.</param>
    /// <returns>Since the machine started; null where the system does not say.</returns>
    public static long? Count(string root = "/")
    {
        try
        {
            var row = File.ReadLines(Path.Combine(root, "proc/vmstat"))
                .FirstOrDefault(line => line.StartsWith(Row, StringComparison.Ordinal));
            return row is not null && long.TryParse(row.AsSpan(Row.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                ? count
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
