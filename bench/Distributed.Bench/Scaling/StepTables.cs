using System.Globalization;
using Distributed.Bench.Figures;
using Distributed.Bench.Prediction;
using Distributed.Bench.Settings;

namespace Distributed.Bench.Scaling;

/// <summary>The model of a step next to what was measured, and what it says of more silos.</summary>
/// <param name="cores">Cores of this machine: runs with more ranks are left out.</param>
/// <param name="bandwidths">Bits a second of networks to compute with.</param>
internal sealed class StepTables(int cores, IReadOnlyList<double> bandwidths)
{
    /// <summary>What a prediction may be off, as a share of what was measured.</summary>
    public const double Bound = 0.1;

    /// <summary>Seconds there and back that the computed steps assume, as between machines of one data centre.</summary>
    private const double RoundTrip = 200e-6;

    private static readonly int[] Silos = [8, 64, 1000];
    private readonly List<Measured> measured = [];

    public void Add(Measured step) => measured.Add(step);

    /// <param name="votes">Rounds of votes; null: not measured.</param>
    public (IReadOnlyList<BenchTable> Tables, IReadOnlyList<string> Notes) Build(VoteRounds? votes)
    {
        List<MeasuredStep> all = [.. measured.Select(m => m.Step).Where(s => s.Layout.Ranks <= cores)];
        var machine = MachineCost.Fit(cores, all, votes?.Line);
        List<Fitted> models =
        [
            .. measured.GroupBy(m => (m.Model, m.Precision)).Select(group => new Fitted(
                    group.Key.Model, group.Key.Precision, [.. group],
                    StepModel.Fit([.. group.Select(m => m.Step)], machine)!))
                .Where(m => m.Step is not null),
        ];
        List<(IReadOnlyList<string> Cells, bool IsWithin)> checks = [.. models.SelectMany(Checks), .. Check(votes)];
        BenchTable[] tables =
        [
            new(
                $"Step model: predicted and measured where it was not fitted (ranks beyond the {cores} cores are left out)",
                ["model", "precision", "batch", "ranks", "silos", "predicted ms", "measured ms", "error", Beyond],
                [.. checks.Select(c => c.Cells)]),
            new(
                "Computed, not measured: steps of more silos, each on a machine like this one",
                ["model", "precision", "silos", "ranks", "bandwidth", "ms/step", "efficiency"],
                [.. models.SelectMany(Computed)]),
        ];
        return (
            [.. tables.Where(t => t.Rows.Count > 0)],
            [
                Cost(machine.Exchange, all),
                .. models.Count > 0 ? Words(machine, votes, checks.Count(c => c.IsWithin), checks.Count) : [],
                .. tables[1].Rows.Count > 0 ? Assumptions : [],
            ]);
    }

    private static string Beyond => Invariant($"beyond {Bound * 100:0} %");

    private IEnumerable<(IReadOnlyList<string> Cells, bool IsWithin)> Checks(Fitted model) =>
        from m in model.Measured
        where !m.Step.IsFitted
        let predicted = model.Step.Seconds(m.Step.Layout)
        where predicted is not null
        select Row([m.Model, m.Precision, m.Batch, $"{m.Step.Layout.Ranks}", $"{m.Step.Layout.Silos}"], predicted.Value, m.Step.Seconds);

    private static IEnumerable<(IReadOnlyList<string> Cells, bool IsWithin)> Check(VoteRounds? votes)
    {
        if (votes?.Line is { } line)
            yield return Row(["votes", "-", "-", "-", $"{votes.Held.Silos}"], line.Seconds(votes.Held.Silos), votes.Held.Seconds);
    }

    private static (IReadOnlyList<string> Cells, bool IsWithin) Row(string[] head, double predicted, double seconds)
    {
        var error = (predicted / seconds) - 1;
        var isWithin = Math.Abs(error) <= Bound;
        return (
            [.. head, Milliseconds(predicted), Milliseconds(seconds), Invariant($"{error * 100:+0;-0;0} %"), isWithin ? "" : "beyond"],
            isWithin);
    }

    private IEnumerable<IReadOnlyList<string>> Computed(Fitted model)
    {
        var (ranks, batch) = (model.Step.MostRanks, model.Measured.Max(m => m.Step.Layout.MicroBatch));
        foreach (var silos in Silos)
            foreach (var rate in bandwidths)
            {
                var link = new Link(rate, RoundTrip);
                if (model.Step.Seconds(silos, ranks, batch, link) is { } seconds && model.Step.Seconds(1, ranks, batch, link) is { } one)
                    yield return
                    [
                        model.Name, model.Precision, $"{silos}", $"{silos * ranks}", BitRate.Text(rate), Milliseconds(seconds),
                        Invariant($"{one / seconds:0.00}"),
                    ];
            }
    }

    private static string Cost(ExchangeCost? exchange, List<MeasuredStep> all)
    {
        if (exchange is not { Two: var cost })
            return "Cost of an exchange: not fitted; it takes models of two sizes on 2 silos, and 2 cores.";
        var points = all.Count(m => m.Layout is { Silos: 2, Overlap: false });
        return Invariant($"Cost of an exchange (peer, 2 silos, no overlap): ")
            + Invariant($"seconds = alpha + bytes x beta with alpha = {cost.Alpha * 1e3:0.000} ms, beta = {cost.Beta * 1e9:0.000} ns per ")
            + (cost.Beta > 0 ? Invariant($"byte ({1 / cost.Beta / 1e9:0.00} GB/s); ") : "byte; ")
            + Invariant($"residual {cost.Residual * 1e3:0.000} ms over {points} points.");
    }

    private static IEnumerable<string> Words(MachineCost machine, VoteRounds? votes, int within, int checks)
    {
        yield return Invariant($"Step model: {within} of {checks} predictions are within {Bound * 100:0} % of runs that it was not fitted ")
            + "on. It is fitted on one rank with whole and half batches (compute), ranks of one silo (what they cost each other), two "
            + "silos without overlap (exchange), and rounds of votes (decision).";
        yield return Invariant($"Decision: {machine.Decision.One * 1e3:0.00} ms with one silo, {machine.Decision.Two * 1e3:0.00} ms with ")
            + Invariant($"two, {machine.Decision.More * 1e6:0} us for each more")
            + (votes is null ? " (votes were not measured: as from one to two)." : " (votes of one process; those of many may be faster).")
            + Invariant($" Two silos wait for the slower one for {machine.Wait * 100:0.0} % of compute.");
    }

    private static IEnumerable<string> Assumptions =>
    [
        "Computed rows assume: silos with machines and ranks as here, the same batch per rank; links that carry their bandwidth both ways "
        + Invariant($"at once; {RoundTrip * 1e6:0} us there and back; an exchange whose frames grow with the silos and whose processor's ")
        + "part is as over loopback; silos that wait for a slower one as two do here. Larger clusters were not run.",
        "efficiency: the step of one silo over this one, with the same batch per rank.",
    ];

    private static string Milliseconds(double seconds) => Invariant($"{seconds * 1e3:0.0}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="Batch">As the table names it.</param>
    internal sealed record Measured(string Model, string Precision, string Batch, MeasuredStep Step);

    private sealed record Fitted(string Name, string Precision, IReadOnlyList<Measured> Measured, StepModel Step);
}
