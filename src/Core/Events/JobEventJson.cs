using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;

namespace Distributed.Core.Events;

/// <summary>The JSON form of a job's events: one object per line, numbers that are not finite as null.</summary>
public static partial class JobEventJson
{
    private static readonly JsonSerializerOptions Options =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One line without its end.</summary>
    public static string Write(JobEvent jobEvent) => ToObject(jobEvent).ToJsonString(Options);

    private static JsonObject ToObject(JobEvent jobEvent) => jobEvent switch
    {
        StartedEvent e => WithData(
            new() { ["event"] = "started", ["job"] = e.Job.ToString(), ["generation"] = e.Generation.Value, ["ranks"] = Ranks(e.Ranks) },
            e.Data),
        GenerationEvent e => WithData(
            new() { ["event"] = "generation", ["number"] = e.Number.Value, ["reason"] = e.Reason, ["ranks"] = Ranks(e.Ranks) }, e.Data),
        DataEvent e => WithData(new() { ["event"] = "data" }, e.Data),
        StepEvent e => Step(e),
        EvalEvent e => new()
        {
            ["event"] = "eval",
            ["step"] = e.Step,
            ["metrics"] = new JsonObject(e.Metrics.Select(metric => KeyValuePair.Create(metric.Key, (JsonNode?)Number(metric.Value)))),
        },
        CheckpointEvent e => new() { ["event"] = "checkpoint", ["step"] = e.Step, ["path"] = e.Path },
        WarningEvent e => new() { ["event"] = "warning", ["message"] = e.Message },
        CompletedEvent e => new()
        {
            ["event"] = "completed",
            ["steps"] = e.Steps,
            ["loss"] = Number(e.Loss),
            ["weightsSha256"] = e.WeightsSha256,
            ["skippedSteps"] = e.SkippedSteps,
            ["seconds"] = Number(e.Seconds),
            ["samplesPerSecond"] = Number(e.SamplesPerSecond),
            ["checkpoint"] = e.Checkpoint,
        },
        StoppedEvent e =>
            new() { ["event"] = "stopped", ["step"] = e.Step, ["weightsSha256"] = e.WeightsSha256, ["checkpoint"] = e.Checkpoint },
        FailedEvent e => new() { ["event"] = "failed", ["error"] = Error(e.Error) },
        _ => throw new NotSupportedException($"No JSON form for {jobEvent.GetType().Name}."),
    };

    private static JsonObject WithData(JsonObject json, DataSummary? data)
    {
        if (data is null) return json;
        var inner = new JsonObject { ["train"] = data.Train, ["test"] = data.Test };
        if (data.Classes > 0) inner["classes"] = data.Classes;
        if (data.Vocabulary > 0) inner["vocabulary"] = data.Vocabulary;
        inner["sha256"] = data.Sha256;
        json["data"] = inner;
        return json;
    }

    private static JsonObject Step(StepEvent e)
    {
        var json = new JsonObject
        {
            ["event"] = "step",
            ["step"] = e.Step,
            ["epoch"] = e.Epoch,
            ["loss"] = Number(e.Loss),
            ["items"] = e.Items,
            ["lr"] = Number(e.Lr),
            ["lossScale"] = Number(e.LossScale),
            ["growthTracker"] = e.GrowthTracker,
            ["skipped"] = e.Skipped,
            ["updates"] = e.Updates,
            ["gradNorm"] = Number(e.GradNorm),
            ["generation"] = e.Generation.Value,
            ["seconds"] = Number(e.Seconds),
            ["phases"] = new JsonObject
            {
                ["data"] = Number(e.Phases.Data),
                ["forward"] = Number(e.Phases.Forward),
                ["backward"] = Number(e.Phases.Backward),
                ["exchange"] = Number(e.Phases.Exchange),
                ["decide"] = Number(e.Phases.Decide),
                ["apply"] = Number(e.Phases.Apply),
            },
        };
        if (e.NonFinite is not null) json["nonFinite"] = e.NonFinite;
        if (e.Ranks is not null) json["ranks"] = new JsonArray([.. e.Ranks.Select(Rank)]);
        if (e.Buckets is not null)
            json["buckets"] = new JsonArray(
                [.. e.Buckets.Select(b => new JsonObject { ["bytes"] = b.Bytes, ["ready"] = Number(b.Ready) })]);
        return json;
    }

    private static JsonObject Rank(RankSeconds rank) => new()
    {
        ["rank"] = rank.Rank.Value,
        ["step"] = rank.Step,
        ["compute"] = Number(rank.Compute),
        ["exchange"] = Number(rank.Exchange),
        ["exposed"] = Number(rank.Exposed),
        ["decide"] = Number(rank.Decide),
        ["apply"] = Number(rank.Apply),
    };

    private static JsonArray Ranks(IReadOnlyList<RankPlace> ranks) =>
        [.. ranks.Select(place => new JsonObject { ["rank"] = place.Rank.Value, ["silo"] = place.Silo, ["device"] = place.Device })];

    private static JsonObject Error(JobError error) => new()
    {
        ["code"] = error.Code,
        ["message"] = error.Message,
        ["rank"] = error.Rank?.Value,
        ["silo"] = error.Silo,
        ["phase"] = error.Phase,
        ["step"] = error.Step,
    };

    private static JsonValue? Number(double value) => double.IsFinite(value) ? JsonNumber.Exact(value) : null;
}
