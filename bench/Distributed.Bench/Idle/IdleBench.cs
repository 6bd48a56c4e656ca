using System.Globalization;
using Distributed.Bench.Figures;

namespace Distributed.Bench.Idle;

/// <summary>What the silos of a cluster without jobs use, next to a client of the same cluster that asks for nothing.</summary>
/// <param name="use">Share of a core that each process used over a time, the client's last.</param>
internal sealed class IdleBench(Func<TimeSpan, Task<IReadOnlyList<(string Process, double Share)>>> use)
{
    /// <summary>Of one silo, in percent of a core.</summary>
    public const double Bound = 2;

    public static readonly IReadOnlyList<string> Columns = ["process", "CPU % of a core", "bound", "x client"];

    /// <summary>Start and first looks are over.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);

    /// <returns>The table, and what missed its bound.</returns>
    public async Task<(BenchSummary Summary, IReadOnlyList<string> Missed)> Run(int rounds, bool quick, Action<BenchRow> report)
    {
        if (!quick) await use(Settling);
        List<IReadOnlyList<(string Process, double Share)>> all = [];
        for (var i = 0; i < rounds; i++) all.Add(await use(quick ? TimeSpan.FromSeconds(1) : Window));
        var measured = all[0].Select((first, at) => (first.Process, Percent: 100 * Median(all.Select(round => round[at].Share)))).ToList();
        // No less than what the kernel counts in.
        var client = Math.Max(measured[^1].Percent, 0.01);
        List<IReadOnlyList<string>> rows =
            [.. measured.Select((m, at) => Cells(m.Process, m.Percent, at < measured.Count - 1, m.Percent / client))];
        foreach (var row in rows) report(new BenchRow(row));
        var missed = measured.SkipLast(1).Where(m => m.Percent >= Bound)
            .Select(m => string.Create(
                CultureInfo.InvariantCulture,
                $"{m.Process} uses {m.Percent:0.00} % of a core while idle, expected below {Bound} %")).ToList();
        return (
            new BenchSummary(
                "Idle silos", Columns, rows, measured.SkipLast(1).ToDictionary(m => $"{m.Process} / client", m => m.Percent / client),
                [
                    "Processor time of each process over 20 s, after 30 s without a call; "
                    + "the client is an Orleans client of the same cluster.",
                    $"Each row is the median of {rounds} rounds.",
                ]),
            missed);
    }

    private static double Median(IEnumerable<double> values) => values.Order().ToList() is var sorted ? sorted[sorted.Count / 2] : 0;

    private static IReadOnlyList<string> Cells(string process, double percent, bool bounded, double ratio) =>
        [process, Number(percent), bounded ? Number(Bound) : "", Number(ratio)];

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
