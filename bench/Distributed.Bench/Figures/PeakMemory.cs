using System.Globalization;

namespace Distributed.Bench.Figures;

/// <summary>
/// How much resident memory this process has had at most since a moment; from Linux' own counter, which misses nothing in between.
/// </summary>
public sealed class PeakMemory
{
    private const string Status = "/proc/self/status";
    private readonly long before;

    private PeakMemory(long before) => this.before = before;

    /// <value>Bytes at the peak since <see cref="Start"/>, above what was resident then.</value>
    public long Added => Math.Max(0, Read("VmHWM:") - before);

    /// <summary>Forgets the peak so far.</summary>
    public static PeakMemory Start()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        // 5 resets the peak, as proc(5) says.
        File.WriteAllText("/proc/self/clear_refs", "5");
        return new PeakMemory(Read("VmRSS:"));
    }

    private static long Read(string name)
    {
        var line = File.ReadLines(Status).First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
    }
}
