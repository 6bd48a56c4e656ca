using Distributed.Client.Following;
using Distributed.Core.Events;
using Distributed.Core.Values;
using static Distributed.Client.Rendering.ProgressCells;

namespace Distributed.Client.Rendering;

/// <summary>What a finished run leaves on stdout.</summary>
internal static class RunSummary
{
    public static void Write(TextWriter output, RunProgress progress, string? runDirectory)
    {
        foreach (var (label, value) in Rows(progress, runDirectory)) output.WriteLine($"{label,-15}{value}");
    }

    internal static IEnumerable<(string Label, string Value)> Rows(RunProgress progress, string? runDirectory)
    {
        switch (progress.End)
        {
            case CompletedEvent completed:
                yield return ("completed", Text($"{completed.Steps} steps, last loss {completed.Loss:0.0000}"));
                break;
            case StoppedEvent stopped:
                yield return ("stopped", Text($"after step {stopped.Step}"));
                break;
        }
        if (progress.Data is { } data) yield return ("data", data.ToString());
        if (progress.Evaluation is { } evaluation) yield return ("evaluation", Metrics(evaluation));
        yield return ("throughput", progress.End is CompletedEvent end
            ? Text($"{end.SamplesPerSecond:0} samples/s, {end.Seconds:0.0} s in all")
            : Text($"{progress.SamplesPerSecond:0} samples/s"));
        yield return ("loss scale", ScaleHistory.Describe(progress));
        if (progress.FirstSkipped is { } first)
            yield return ("skipped",
                Text($"{progress.SkippedSteps} of {progress.Steps} steps, ")
                + Text($"the first {first.Step}{(first.NonFinite is { } name ? $", where the gradient of '{name}' was not finite" : "")}"));
        if (progress.PeakMemory is { } peak) yield return ("memory", $"{MemorySize.Text(peak)} at most in a silo process");
        if (Hash(progress.End) is { } hash) yield return ("weightsSha256", hash);
        yield return ("checkpoint", progress.Checkpoint ?? "none");
        if (runDirectory is not null) yield return ("run", runDirectory);
    }

    private static string Metrics(EvalEvent evaluation) =>
        string.Join(", ", evaluation.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal)
            .Select(metric => Text($"{metric.Key} {metric.Value:0.0000}")))
        + Text($" (after step {evaluation.Step})");

    private static string? Hash(JobEvent? end) => end switch
    {
        CompletedEvent completed => completed.WeightsSha256,
        StoppedEvent stopped => stopped.WeightsSha256,
        _ => null,
    };
}
