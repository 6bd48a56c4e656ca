using System.Globalization;
using Distributed.Client.Following;

namespace Distributed.Client.Rendering;

/// <summary>The figures that every progress display shows, in one order and one form.</summary>
internal static class ProgressCells
{
    public static IReadOnlyList<(string Label, string Value)> Of(RunProgress progress)
    {
        if (progress.Step is not { } step) return [];
        List<(string, string)> cells =
        [
            ("step", progress.LastPlannedStep > 0 ? Text($"{step.Step}/{progress.LastPlannedStep}") : Text($"{step.Step}")),
            ("epoch", Text($"{step.Epoch}")),
            ("loss", Text($"{step.Loss:0.0000}")),
            ("scale", Scale(step.LossScale)),
            ("skipped", Text($"{progress.SkippedSteps}")),
            ("samples/s", Text($"{progress.SamplesPerSecond:0}")),
            ("ETA", progress.Remaining is { } remaining ? Text($"{(int)remaining.TotalHours}:{remaining:mm\\:ss}") : "-"),
        ];
        if (progress.Evaluation is { } evaluation)
            cells.AddRange(evaluation.Metrics.Select(metric => ($"eval {metric.Key}", Text($"{metric.Value:0.0000}"))));
        return cells;
    }

    /// <summary>A float32 scale in as few digits as tell it apart.</summary>
    public static string Scale(double scale) => ((float)scale).ToString("R", CultureInfo.InvariantCulture);

    public static string Text(FormattableString text) => FormattableString.Invariant(text);
}
