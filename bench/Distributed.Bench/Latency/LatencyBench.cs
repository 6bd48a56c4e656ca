using System.Globalization;
using Distributed.Bench.Figures;

namespace Distributed.Bench.Latency;

/// <summary>Puts the calls of a step next to an empty one, and an empty call beside gradients next to one on an idle cluster.</summary>
internal static class LatencyBench
{
    /// <summary>p99 of a decision after the last of 64 votes, in milliseconds.</summary>
    public const double VoteBound = 5;

    /// <summary>p99 of other calls while gradients pass through the coordinator, in milliseconds.</summary>
    public const double LoadBound = 50;

    public static readonly IReadOnlyList<string> Columns = ["calls", "count", "p50 ms", "p99 ms", "bound of p99", "p99 / empty"];

    /// <summary>p99 of a silo's health probe while its ranks train, in milliseconds: Kubernetes gives it 2 to 5 s.</summary>
    public const double ProbeBound = 500;

    private const string Empty = "empty", Vote = "vote, one silo", LastVote = "last of 64 votes", Loaded = "empty, with gradients",
        Probe = "probe, with training";

    /// <returns>The table, and what missed its bound.</returns>
    public static async Task<(BenchSummary Summary, IReadOnlyList<string> Missed)> Run(
        LatencyProbe probe, int rounds, bool quick, Action<BenchRow> report)
    {
        var (steps, exchanged) = quick ? (20, 5) : (500, 200);
        List<(string Name, double? Bound, LatencyFigures Figures)> measured = [];
        await Measure(Empty, null, () => probe.Empty(2 * steps));
        await Measure(Vote, null, () => probe.Votes(silos: 1, steps));
        await Measure(LastVote, VoteBound, () => probe.Votes(silos: 64, steps));
        await Measure(Loaded, LoadBound, () => probe.Loaded(exchanged));
        await Measure(Probe, ProbeBound, () => probe.Probed(exchanged));

        var idle = measured[0].Figures.P99;
        var missed = measured.Where(m => m.Figures.P99 >= m.Bound).Select(m => string.Create(
            CultureInfo.InvariantCulture, $"p99 of '{m.Name}' is {m.Figures.P99:0.00} ms, expected below {m.Bound} ms")).ToList();
        missed.AddRange(measured.Where(m => m.Figures.Unanswered > 0).Select(m => string.Create(
            CultureInfo.InvariantCulture, $"{m.Figures.Unanswered} calls of '{m.Name}' were not answered, expected none")));
        return (
            new BenchSummary(
                "Calls between silos: p50 and p99", Columns, [.. measured.Select(Cells)],
                measured.Skip(1).ToDictionary(m => $"{m.Name} / empty, p99", m => m.Figures.P99 / idle),
                [
                    "'empty' changes nothing in an idle grain. A vote's answer holds the decision.",
                    "A probe is GET /healthz/ready over a connection of its own, of both silos in turn.",
                    "With gradients: an mlp of 3.2 million parameters whose gradients go through the coordinator's grain.",
                    $"Each row is the median of {rounds} rounds by p99.",
                ]),
            missed);

        async Task Measure(string name, double? bound, Func<Task<LatencyFigures>> round)
        {
            List<LatencyFigures> all = [];
            for (var i = 0; i < rounds; i++) all.Add(await round());
            measured.Add((name, bound, LatencyFigures.Median(all)));
            report(new BenchRow(Cells(measured[^1])));
        }

        IReadOnlyList<string> Cells((string Name, double? Bound, LatencyFigures Figures) row) =>
        [
            row.Name, row.Figures.Calls.ToString(CultureInfo.InvariantCulture), Number(row.Figures.P50), Number(row.Figures.P99),
            row.Bound?.ToString(CultureInfo.InvariantCulture) ?? "", Number(row.Figures.P99 / measured[0].Figures.P99),
        ];
    }

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
