using System.Globalization;

namespace Distributed.Bench.Figures;

/// <summary>Processor time of all cores of this machine since it started, as <c>/proc/stat</c> counts it.</summary>
/// <param name="Stolen">Ticks in which a core had work and the host ran another tenant; 0 where the host does not tell.</param>
/// <param name="All">Ticks of any kind, idle ones too.</param>
public readonly record struct CpuTimes(long Stolen, long All)
{
    /// <remarks>user, nice, system, idle, iowait, irq, softirq, steal; those after them are parts of the first two.</remarks>
    private const int Columns = 8;

    public static CpuTimes Now() => Read(File.ReadLines("/proc/stat").First());

    /// <param name="line">The line of all cores.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static CpuTimes Read(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length <= Columns || words[0] != "cpu")
            throw new FormatException($"bench: found '{line}' in /proc/stat, expected 'cpu' and {Columns} numbers or more.");
        var ticks = words.Skip(1).Take(Columns).Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToList();
        return new(ticks[^1], ticks.Sum());
    }

    /// <returns>Share of the cores' time since <paramref name="before"/> that other tenants took, 0 to 1.</returns>
    public double StolenSince(CpuTimes before) => All > before.All ? (double)(Stolen - before.Stolen) / (All - before.All) : 0;

    /// <summary>For a table: how much another tenant took while it was measured.</summary>
    public string Note(CpuTimes before) => string.Create(
        CultureInfo.InvariantCulture,
        $"Other tenants of the host took {StolenSince(before) * 100:0.0} % of the cores' time while this was measured ")
        + "(steal in /proc/stat; a machine of one's own, and a host that does not tell, show 0).";
}
