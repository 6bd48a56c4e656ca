using Distributed.Client.Following;

namespace Distributed.Client.Rendering;

/// <summary>A run's loss scales in one line: the changes, the middle of a long list left out, and the skipped steps.</summary>
internal static class ScaleHistory
{
    private const int Ends = 4;

    public static string Describe(RunProgress progress)
    {
        if (progress.Scales.Count == 0) return progress.IsPartial ? "no step was seen" : "no step was run";
        var changes = progress.Scales;
        var parts = changes.Select((change, index) => index == 0 ? First(change) : Later(change));
        if (changes.Count > 2 * Ends + 1)
            parts = parts.Take(Ends).Append($"({changes.Count - 2 * Ends} more)").Concat(parts.TakeLast(Ends));
        var path = changes.Count == 1 ? $"{First(changes[0])} throughout" : string.Join(" -> ", parts);
        return $"{path}; {progress.SkippedSteps} of {progress.Steps} {(progress.IsPartial ? "seen " : "")}steps skipped";
    }

    private static string First(ScaleChange change) =>
        ProgressCells.Scale(change.Scale) + (change.Skipped ? $" (step {change.Step}, overflow)" : "");

    private static string Later(ScaleChange change) =>
        $"{ProgressCells.Scale(change.Scale)} (step {change.Step}{(change.Skipped ? ", overflow" : "")})";
}
