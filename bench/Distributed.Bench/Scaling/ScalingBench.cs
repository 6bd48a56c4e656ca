using System.Globalization;
using Distributed.Bench.Figures;
using Distributed.Bench.Prediction;
using Distributed.Bench.Step;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Bench.Scaling;

/// <summary>Times training steps by ranks and silos, next to PyTorch DDP, and fits a model of the step.</summary>
/// <param name="train">Runs a job with so many ranks on so many silos and returns its events.</param>
/// <param name="tables">Takes what was measured, for the model.</param>
internal sealed partial class ScalingBench(Func<JobSpec, int, int, Task<IReadOnlyList<JobEvent>>> train, StepTables tables)
{
    public static IReadOnlyList<string> Columns { get; } =
    [
        "model", "precision", "batch", "ranks", "silos", "ranks on cores", "samples/s", "speed-up", "exchange ms", "not hidden",
        "data/forward/backward/exchange/decide/apply ms",
    ];

    private readonly List<IReadOnlyList<string>> rows = [];
    private readonly Dictionary<string, double> ratios = new(StringComparer.Ordinal);
    private readonly List<string> notes = [];
    private int runs;
    private int unsteady;

    /// <param name="wanted">Which pairs of model and precision to run.</param>
    /// <param name="votes">Rounds of votes, for the model; null: not measured.</param>
    /// <param name="report">Takes the rows of a model and precision when their rounds are over.</param>
    /// <exception cref="Core.Jobs.JobException">A job failed.</exception>
    public async Task<BenchSummary> Run(
        IReadOnlyList<StepCase> models, IReadOnlyList<ScalingCase> cases, Func<string, Precision, bool> wanted, int rounds,
        VoteRounds? votes, Action<BenchRow> report)
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
        var (more, words) = tables.Build(votes);
        return new BenchSummary(
            "Training steps by ranks and silos (AdamW)", Columns, rows, ratios, [.. Reading(rounds), .. words, .. Tuning, .. notes])
        {
            Tables = more,
        };
    }

    private IEnumerable<string> Reading(int rounds) =>
    [
        $"Each figure is the median over rounds ({rounds}) that take turns; in a round it is the median of the steps from where they are "
        + "steady: the medians of two neighbouring windows differ by less than 3 %.",
        $"{unsteady} of {runs} runs were not steady by their middle and count from there.",
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
        var beside = new List<DdpRound>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var precision in precisions)
                foreach (var item in cases)
                    figures[precision][item].Add(
                        Count(ScalingFigures.Of(await train(item.Job(model, directory, precision), item.Ranks, item.Silos))));
            if (await RunDdp(model) is { } theirs) beside.Add(theirs);
        }
        foreach (var precision in precisions)
        {
            foreach (var item in cases) Add(model, precision, item, figures[precision][item], figures[precision][ScalingCase.One], report);
            if (beside.Count == rounds) AddDdp(model, precision, figures[precision], beside, report);
        }
    }

    private ScalingFigures Count(ScalingFigures figures)
    {
        CountSteady(figures.IsSteady);
        return figures;
    }

    private void CountSteady(bool isSteady)
    {
        runs++;
        if (!isSteady) unsteady++;
    }

    private void Add(
        StepCase model, Precision precision, ScalingCase item, List<ScalingFigures> mine, List<ScalingFigures> one, Action<BenchRow> report)
    {
        var speedUp = BenchMath.Median(mine.Zip(one, (m, o) => m.SamplesPerSecond / o.SamplesPerSecond));
        var word = JobWords.Of(precision);
        if (item.Ranks > 1) ratios[$"{model.Name}, {word}, {item.BatchWord}, {item.Place}"] = Math.Round(speedUp, 3);
        var phases = new PhaseSeconds(
            Middle(m => m.Phases.Data), Middle(m => m.Phases.Forward), Middle(m => m.Phases.Backward), Middle(m => m.Phases.Exchange),
            Middle(m => m.Phases.Decide), Middle(m => m.Phases.Apply));
        tables.Add(new StepTables.Measured(
            model.Name, word, item.BatchWord,
            new MeasuredStep(
                item.Layout(model), Middle(m => m.Seconds), phases, item.Silos > 1 ? Middle(m => m.Pure) : 0, mine[0].Bytes,
                mine[0].Buckets, item.IsFitted)));
        Report(
            [
                model.Name, word, item.BatchWord, $"{item.Ranks}", $"{item.Silos}", $"{item.Ranks} on {Environment.ProcessorCount}",
                Text(Middle(m => m.SamplesPerSecond), "0"), Text(speedUp, "0.00"),
                item.Ranks > 1 ? Text(Middle(m => m.Exchange) * 1e3, "0.00") : "-",
                item.Ranks > 1 ? Text(Middle(m => m.NotHidden) * 100, "0") + " %" : "-",
                string.Join(
                    '/',
                    new[] { phases.Data, phases.Forward, phases.Backward, phases.Exchange, phases.Decide, phases.Apply }
                        .Select(p => Text(p * 1e3, "0.0"))),
            ],
            report);

        double Middle(Func<ScalingFigures, double> figure) => BenchMath.Median(mine.Select(figure));
    }

    private void Report(IReadOnlyList<string> cells, Action<BenchRow> report)
    {
        rows.Add(cells);
        report(new BenchRow(cells));
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
