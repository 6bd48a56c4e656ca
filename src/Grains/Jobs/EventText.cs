using System.Globalization;
using Distributed.Core.Events;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>Events as lines of the log.</summary>
internal static class EventText
{
    /// <summary>Of the steps only each of these is told.</summary>
    public const int StepsToldEvery = 100;

    /// <returns>Null for an event that is not told.</returns>
    public static string? Of(EventLine line, long totalSteps)
    {
        // Most lines are steps; only the few that are told are worth reading.
        var isStep = line.Json.StartsWith("{\"event\":\"step\"", StringComparison.Ordinal);
        if (isStep && line.Step != 1 && line.Step % StepsToldEvery != 0) return null;
        return JobEventJson.Read(line.Json) switch
        {
            StepEvent step => Say($"step {step.Step}{(totalSteps > 0 ? Say($" of {totalSteps}") : "")}: loss {step.Loss:G5}, ")
                + Say($"loss scale {step.LossScale:G6}, {step.Seconds:0.####} s"),
            StartedEvent { Data: { } data } => $"data: {data}",
            GenerationEvent { Data: { } data } => $"data: {data}",
            EvalEvent eval =>
                Say($"evaluation after step {eval.Step}: {string.Join(", ", eval.Metrics.Select(m => Say($"{m.Key} {m.Value:G5}")))}"),
            CheckpointEvent checkpoint => Say($"checkpoint of step {checkpoint.Step}: {checkpoint.Path}"),
            WarningEvent warning => $"warning: {warning.Message}",
            CompletedEvent done =>
                Say($"completed after {done.Steps} steps, {done.SkippedSteps} skipped: loss {done.Loss:G5}, weights {done.WeightsSha256}"),
            StoppedEvent stopped => Say($"stopped after step {stopped.Step}{(stopped.Checkpoint is { } at ? $", checkpoint {at}" : "")}"),
            FailedEvent failed => $"failed: [{failed.Error.Code}] {failed.Error.Message}",
            _ => null,
        };
    }

    /// <summary>The start of a generation, before anything is known of its data.</summary>
    public static string? Opening(JobEvent start) => start switch
    {
        StartedEvent started => Say($"generation {started.Generation}: {Places(started.Ranks)}"),
        GenerationEvent generation => Say($"generation {generation.Number} ({generation.Reason}): {Places(generation.Ranks)}"),
        _ => null,
    };

    private static string Places(IEnumerable<RankPlace> ranks) =>
        string.Join(", ", ranks.GroupBy(r => r.Silo).Select(g => Say($"rank {string.Join(' ', g.Select(r => r.Rank))} on {g.Key}")));

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
