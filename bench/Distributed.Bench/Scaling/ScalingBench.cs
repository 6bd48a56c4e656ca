using System.Globalization;
using Distributed.Bench.Baselines;
using Distributed.Bench.Figures;
using Distributed.Bench.Step;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Bench.Scaling;

/// <summary>Times training steps by ranks and silos, next to PyTorch DDP, and fits what an exchange costs.</summary>
/// <param name="train">Runs a job with so many ranks on so many silos and returns its events.</param>
/// <param name="torch">Null: not here.</param>
internal sealed class ScalingBench(Func<JobSpec, int, int, Task<IReadOnlyList<JobEvent>>> train, PyTorch? torch)
{
    public static IReadOnlyList<string> Columns { get; } =
    [
        "model", "precision", "batch", "ranks", "silos", "ranks on cores", "samples/s", "speed-up", "exchange ms", "not hidden",
        "data/forward/backward/exchange/decide/apply ms",
    ];

    private const int DdpRanks = 2;
    private readonly List<IReadOnlyList<string>> rows = [];
    private readonly Dictionary<string, double> ratios = new(StringComparer.Ordinal);
    private readonly List<(double Bytes, double Seconds)> exchanges = [];
    private readonly List<string> notes = [];
    private bool ddp = torch is not null;

    /// <param name="wanted">Which pairs of model and precision to run.</param>
    /// <param name="report">Takes the rows of a model and precision when their rounds are over.</param>
    /// <exception cref="Core.Jobs.JobException">A job failed.</exception>
    public async Task<BenchSummary> Run(
        IReadOnlyList<StepCase> models, IReadOnlyList<ScalingCase> cases, Func<string, Precision, bool> wanted, int rounds,
        Action<BenchRow> report)
    {
        var directory = Directory.CreateTempSubdirectory("dtrain-bench-").FullName;
        try
        {
            foreach (var model in models)
            {
                List<Precision> precisions = [.. new[] { Precision.Float32, Precision.MixedBFloat16 }.Where(p => wanted(model.Name, p))];
                if (precisions.Count > 0) await RunModel(model, precisions, cases, directory, rounds, report);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return new BenchSummary("Training steps by ranks and silos (AdamW)", Columns, rows, ratios, [.. Reading(rounds), Cost(), .. notes]);
    }

    private static IEnumerable<string> Reading(int rounds) =>
    [
        $"Each figure is the median over rounds ({rounds}) that take turns; in a round it is the median step after warm-up.",
        "weak: the same batch per rank; strong: the same global batch, dealt to the ranks. speed-up: samples/s over those of one rank.",
        "exchange: from the first bucket's leaving to the whole reduced gradient; not hidden: the share of it that a silo's last rank "
        + "waited for after backward. One silo hides nothing: its ranks add in shared memory when all are done.",
        "phases: the longest of the first silo's ranks for data, forward and backward, the first rank's for the others.",
        $"All ranks and silos share the {Environment.ProcessorCount} cores of this machine: "
        + "with more ranks than cores the table shows what sharing costs, not what machines would gain.",
    ];

    private async Task RunModel(
        StepCase model, List<Precision> precisions, IReadOnlyList<ScalingCase> cases, string directory, int rounds, Action<BenchRow> report)
    {
        model.WriteData(directory);
        var figures = precisions.ToDictionary(p => p, _ => cases.ToDictionary(c => c, _ => new List<ScalingFigures>()));
        var beside = new List<IReadOnlyList<DdpFigure>>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var precision in precisions)
                foreach (var item in cases)
                    figures[precision][item].Add(
                        ScalingFigures.Of(await train(item.Job(model, directory, precision), item.Ranks, item.Silos)));
            if (await Ddp(model) is { } measured) beside.Add(measured);
        }
        foreach (var precision in precisions)
        {
            foreach (var item in cases) Add(model, precision, item, figures[precision][item], figures[precision][ScalingCase.One], report);
            if (beside.Count == rounds) Add(model, precision, figures[precision], beside, report);
        }
    }

    private async Task<IReadOnlyList<DdpFigure>?> Ddp(StepCase model)
    {
        if (!ddp) return null;
        try
        {
            return await torch!.TrainDdp(DdpRanks, model.Steps, model.Model.Name);
        }
        catch (BaselineException e)
        {
            ddp = false;
            notes.Add($"PyTorch DDP is left out from {model.Name} on: {e.Message}.");
            return null;
        }
    }

    private void Add(
        StepCase model, Precision precision, ScalingCase item, List<ScalingFigures> mine, List<ScalingFigures> one, Action<BenchRow> report)
    {
        var speedUp = BenchMath.Median(mine.Zip(one, (m, o) => m.SamplesPerSecond / o.SamplesPerSecond));
        var word = JobWords.Of(precision);
        if (item != ScalingCase.One) ratios[$"{model.Name}, {word}, {item.BatchWord}, {item.Place}"] = Math.Round(speedUp, 3);
        if (item.Rule == BatchRule.NoOverlap) exchanges.Add((mine[0].Bytes, Middle(m => m.Pure)));
        Report(
            [
                model.Name, word, item.BatchWord, $"{item.Ranks}", $"{item.Silos}", $"{item.Ranks} on {Environment.ProcessorCount}",
                Text(Middle(m => m.SamplesPerSecond), "0"), Text(speedUp, "0.00"),
                item.Ranks > 1 ? Text(Middle(m => m.Exchange) * 1e3, "0.00") : "-",
                item.Ranks > 1 ? Text(Middle(m => m.NotHidden) * 100, "0") + " %" : "-",
                string.Join('/', Phases().Select(p => Text(p * 1e3, "0.0"))),
            ],
            report);

        double Middle(Func<ScalingFigures, double> figure) => BenchMath.Median(mine.Select(figure));

        double[] Phases() =>
        [
            Middle(m => m.Phases.Data), Middle(m => m.Phases.Forward), Middle(m => m.Phases.Backward), Middle(m => m.Phases.Exchange),
            Middle(m => m.Phases.Decide), Middle(m => m.Phases.Apply),
        ];
    }

    /// <summary>The row of DDP, and what we are against it at the same ranks and batch.</summary>
    private void Add(
        StepCase model, Precision precision, Dictionary<ScalingCase, List<ScalingFigures>> ours, List<IReadOnlyList<DdpFigure>> beside,
        Action<BenchRow> report)
    {
        var word = JobWords.Of(precision);
        List<double> theirs = [.. beside.Select(round => round.Single(f => f.Precision == word).SamplesPerSecond)];
        foreach (var (item, mine) in ours.Where(o => o.Key.Rule == BatchRule.Weak && o.Key.Ranks == DdpRanks))
            ratios[$"{model.Name}, {word}, {item.Place} against PyTorch DDP"] = Math.Round(
                BenchMath.Median(mine.Zip(theirs, (m, t) => m.SamplesPerSecond / t)), 3);
        Report(
            [model.Name, word, "weak, PyTorch DDP", $"{DdpRanks}", "-", $"{DdpRanks} on {Environment.ProcessorCount}",
                Text(BenchMath.Median(theirs), "0"), "-", "-", "-", "-"],
            report);
    }

    private string Cost() => LinearCost.Fit(exchanges) is { } cost
        ? string.Create(
            CultureInfo.InvariantCulture,
            $"Cost of an exchange (peer, 2 silos, no overlap): "
            + $"seconds = alpha + bytes x beta with alpha = {cost.Alpha * 1e3:0.000} ms, beta = {cost.Beta * 1e9:0.000} ns per "
            + $"byte{(cost.Beta > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({1 / cost.Beta / 1e9:0.00} GB/s)") : "")}; "
            + $"residual {cost.Residual * 1e3:0.000} ms over {exchanges.Count} points.")
        : "Cost of an exchange: not fitted; it takes models of two sizes on 2 silos.";

    private void Report(IReadOnlyList<string> cells, Action<BenchRow> report)
    {
        rows.Add(cells);
        report(new BenchRow(cells));
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
