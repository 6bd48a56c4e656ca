using Distributed.Bench.Baselines;
using Distributed.Bench.Figures;
using Distributed.Bench.Step;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Bench.Scaling;

/// <content>The rows of PyTorch DDP, as a first user writes it and tuned, and what we are against the faster of the two.</content>
internal sealed partial class ScalingBench
{
    private const int DdpRanks = 2;
    private readonly SortedDictionary<string, IReadOnlyList<string>> tuned = new(StringComparer.Ordinal);
    private bool ddpFailed;

    /// <summary>Trains with PyTorch DDP.</summary>
    /// <value>Null: not here.</value>
    public DdpRun? Ddp { get; init; }

    private IEnumerable<string> Tuning => tuned.Select(t => $"PyTorch DDP tuned, {t.Key}: {string.Join(", ", t.Value)}.");

    private async Task<DdpRound?> RunDdp(StepCase model)
    {
        if (Ddp is null || ddpFailed) return null;
        try
        {
            return new DdpRound(
                await Ddp(DdpRanks, model.Steps, model.Model.Name, tuned: false),
                await Ddp(DdpRanks, model.Steps, model.Model.Name, tuned: true));
        }
        catch (BaselineException e)
        {
            ddpFailed = true;
            notes.Add($"PyTorch DDP is left out from {model.Name} on: {e.Message}.");
            return null;
        }
    }

    /// <summary>The rows of DDP, and what we are against the faster of them at the same ranks and batch.</summary>
    private void AddDdp(
        StepCase model, Precision precision, Dictionary<ScalingCase, List<ScalingFigures>> ours, List<DdpRound> beside,
        Action<BenchRow> report)
    {
        var word = JobWords.Of(precision);
        List<double> plain = Rates(round => round.Plain, out _), best = Rates(round => round.Tuned, out var what);
        tuned[model.Name] = what;
        Row("weak, PyTorch DDP", plain);
        Row("weak, PyTorch DDP tuned", best);
        var isTuned = BenchMath.Median(best) >= BenchMath.Median(plain);
        var theirs = isTuned ? best : plain;
        foreach (var (item, mine) in ours.Where(o => o.Key.Rule == BatchRule.Weak && o.Key.Ranks == DdpRanks))
            ratios[$"{model.Name}, {word}, {item.Place} against PyTorch DDP{(isTuned ? " tuned" : "")}"] = Math.Round(
                BenchMath.Median(mine.Zip(theirs, (m, t) => m.SamplesPerSecond / t)), 3);

        List<double> Rates(Func<DdpRound, IReadOnlyList<DdpFigure>> side, out IReadOnlyList<string> words)
        {
            List<DdpFigure> figures = [.. beside.Select(round => side(round).Single(f => f.Precision == word))];
            words = figures[0].Tuned;
            foreach (var figure in figures) CountSteady(SteadySteps.Of(figure.Seconds).IsSteady);
            return [.. figures.Select(f => f.Samples / SteadySteps.Median(f.Seconds))];
        }

        void Row(string batch, List<double> rates) => Report(
            [model.Name, word, batch, $"{DdpRanks}", "-", $"{DdpRanks} on {Environment.ProcessorCount}",
                Text(BenchMath.Median(rates), "0"), "-", "-", "-", "-"],
            report);
    }

    private sealed record DdpRound(IReadOnlyList<DdpFigure> Plain, IReadOnlyList<DdpFigure> Tuned);
}

/// <summary>Trains with PyTorch DDP; a figure for each precision.</summary>
/// <exception cref="BaselineException">It failed.</exception>
internal delegate Task<IReadOnlyList<DdpFigure>> DdpRun(int ranks, int steps, string model, bool tuned);
