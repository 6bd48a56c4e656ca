using System.Globalization;
using Distributed.Bench.Baselines;
using Distributed.Bench.Figures;
using Distributed.Bench.Settings;

namespace Distributed.Bench.AllReduce;

/// <summary>Times all-reduces case by case: ours and its baselines take turns, round by round.</summary>
/// <param name="contenders">Of a case, ours first.</param>
internal sealed class AllReduceBench(Func<AllReduceCase, IReadOnlyList<IAllReduceContender>> contenders)
{
    public static IReadOnlyList<string> Columns { get; } =
        ["case", "ranks on cores", "who", "bytes", "time us", "algorithm GB/s", "bus GB/s", "wrong elements"];

    private readonly List<IReadOnlyList<string>> rows = [];
    private readonly Dictionary<string, double> ratios = new(StringComparer.Ordinal);
    private readonly List<string> notes = [];

    /// <param name="report">Takes each row of a case when its rounds are over.</param>
    /// <exception cref="Core.Jobs.JobException">Ours failed.</exception>
    public async Task<BenchSummary> Run(
        IReadOnlyList<AllReduceCase> cases, IReadOnlyList<SizedRun> sizes, int rounds, Action<BenchRow> report)
    {
        foreach (var item in cases) await RunCase(item, sizes, rounds, report);
        return new BenchSummary(
            "All-reduce of FP32 sums", Columns, rows, ratios,
            [
                $"time: median over rounds ({rounds}), each the median of its iterations, each as long as its slowest silo or rank.",
                "algorithm: bytes / time; bus: algorithm x 2(n-1)/n for n ranks, as nccl-tests define them; 10^9 bytes per second.",
                "ratio: our bandwidth over the baseline's, the median of rounds that take turns (higher is better).",
                "plain sockets: as many bytes between the same processes on blocking threads, no sum. memory copy: "
                + "the bytes once, on as many threads.",
                "peer: through memory that the silos share, as on one machine; peer over TCP: as between machines.",
                "Everything runs on this machine, over loopback or in its memory; where ranks outnumber the cores they share them.",
                .. notes,
            ]);
    }

    private async Task RunCase(AllReduceCase item, IReadOnlyList<SizedRun> sizes, int rounds, Action<BenchRow> report)
    {
        var all = contenders(item);
        var figures = all.ToDictionary(c => c, _ => new List<IReadOnlyList<AllReduceFigure>>());
        var dropped = new HashSet<IAllReduceContender>();
        for (var round = 0; round < rounds; round++)
            foreach (var contender in all.Where(c => !dropped.Contains(c)))
            {
                try
                {
                    figures[contender].Add(await contender.Run(sizes));
                }
                catch (BaselineException e)
                {
                    dropped.Add(contender);
                    notes.Add($"{item.Name}: {contender.Name} is left out: {e.Message}.");
                }
            }
        for (var size = 0; size < sizes.Count; size++)
            foreach (var contender in all.Where(c => !dropped.Contains(c)))
            {
                List<AllReduceFigure> mine = [.. figures[contender].Select(round => round[size])],
                    ours = [.. figures[all[0]].Select(round => round[size])];
                Add(item, contender.Name, mine, report);
                if (contender != all[0])
                    ratios[$"{item.Name}, {ByteSize.Text(sizes[size].Bytes)}, {contender.Name}"] = BenchMath.Significant(
                        BenchMath.Median(ours.Zip(mine, (o, m) => m.Seconds / o.Seconds)));
            }
    }

    private void Add(AllReduceCase item, string who, List<AllReduceFigure> figures, Action<BenchRow> report)
    {
        var (bytes, seconds) = (figures[0].Bytes, BenchMath.Median(figures.Select(f => f.Seconds)));
        string[] cells =
        [
            item.Name, $"{item.Ranks} on {Environment.ProcessorCount}", who, Text(bytes, "0"), Text(seconds * 1e6, "0.0"),
            Text(BenchMath.AlgorithmBandwidth(bytes, seconds), "0.000"),
            Text(BenchMath.BusBandwidth(bytes, seconds, item.Ranks), "0.000"),
            figures[0].Wrong is null ? "-" : Text(figures.Sum(f => f.Wrong ?? 0), "0"),
        ];
        rows.Add(cells);
        report(new BenchRow(cells));
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
