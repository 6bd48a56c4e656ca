using System.Text.Json;
using System.Text.Json.Nodes;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;

namespace Distributed.Core.Events;

public static partial class JobEventJson
{
    /// <summary>
    /// The event that a line describes; null for events that this version does not know. Numbers that are null read as NaN.
    /// </summary>
    /// <exception cref="FormatException">The line is no JSON object, or a known event lacks a value or has one of another type.</exception>
    public static JobEvent? Read(string json)
    {
        try
        {
            return JsonNode.Parse(json) is JsonObject line
                ? FromObject(line)
                : throw new FormatException($"Event line: found {Shorten(json)}, expected a JSON object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException($"Event line: found {Shorten(json)}, expected an event object: {e.Message}", e);
        }
    }

    private static JobEvent? FromObject(JsonObject e) => (string?)e["event"] switch
    {
        "started" => new StartedEvent(JobId.Parse(Text(e, "job")), new(Get<int>(e, "generation")), Ranks(e)) { Data = Data(e) },
        "generation" => new GenerationEvent(new(Get<int>(e, "number")), Text(e, "reason"), Ranks(e)) { Data = Data(e) },
        "data" => new DataEvent(Data(e) ?? throw new FormatException("Event data: data is missing.")),
        "step" => Step(e),
        "eval" =>
            new EvalEvent(Get<long>(e, "step"), Inner(e, "metrics").ToDictionary(metric => metric.Key, metric => Number(metric.Value))),
        "checkpoint" => new CheckpointEvent(Get<long>(e, "step"), Text(e, "path")),
        "warning" => new WarningEvent(Text(e, "message")),
        "completed" => new CompletedEvent(
            Get<long>(e, "steps"), Number(e["loss"]), Text(e, "weightsSha256"), Get<long>(e, "skippedSteps"),
            Number(e["seconds"]), Number(e["samplesPerSecond"]), Text(e, "checkpoint")),
        "stopped" => new StoppedEvent(Get<long>(e, "step"), Text(e, "weightsSha256"), (string?)e["checkpoint"]),
        "failed" => new FailedEvent(Error(Inner(e, "error"))),
        _ => null,
    };

    private static DataSummary? Data(JsonObject e) => e["data"] is not JsonObject data
        ? null
        : new(
            Get<long>(data, "train"), Get<long>(data, "test"), (int?)data["classes"] ?? 0, (int?)data["vocabulary"] ?? 0,
            Text(data, "sha256"));

    private static StepEvent Step(JsonObject e)
    {
        var phases = Inner(e, "phases");
        return new(
            Get<long>(e, "step"), Get<long>(e, "epoch"), Number(e["loss"]), Get<long>(e, "items"), Number(e["lr"]), Number(e["lossScale"]),
            Get<int>(e, "growthTracker"), Get<bool>(e, "skipped"), Get<long>(e, "updates"), Number(e["gradNorm"]),
            new(Get<int>(e, "generation")),
            Number(e["seconds"]),
            new(
                Number(phases["data"]), Number(phases["forward"]), Number(phases["backward"]),
                Number(phases["exchange"]), Number(phases["decide"]), Number(phases["apply"])))
        {
            NonFinite = (string?)e["nonFinite"],
            Ranks = e["ranks"] is JsonArray ranks ? new(ranks.Select(r => Rank(r!.AsObject()))) : null,
            Buckets = e["buckets"] is JsonArray buckets
                ? new(buckets.Select(b => new BucketTime(Get<long>(b!.AsObject(), "bytes"), Number(b["ready"]))))
                : null,
        };
    }

    private static RankSeconds Rank(JsonObject e) => new(
        new(Get<int>(e, "rank")), Get<long>(e, "step"), Number(e["compute"]), Number(e["exchange"]), Number(e["exposed"]),
        Number(e["decide"]), Number(e["apply"]));

    private static JobError Error(JsonObject e) =>
        new(
            Text(e, "code"), Text(e, "message"), (int?)e["rank"] is { } rank ? new Rank(rank) : null,
            (string?)e["silo"], (string?)e["phase"], (long?)e["step"]);

    private static List<RankPlace> Ranks(JsonObject e) =>
        [.. Required(e, "ranks").AsArray().Select(place => place!.AsObject())
            .Select(place => new RankPlace(new(Get<int>(place, "rank")), Text(place, "silo"), Text(place, "device")))];

    private static T Get<T>(JsonObject e, string key) => Required(e, key).GetValue<T>();

    private static string Text(JsonObject e, string key) => Get<string>(e, key);

    private static JsonObject Inner(JsonObject e, string key) => Required(e, key).AsObject();

    private static JsonNode Required(JsonObject e, string key) =>
        e[key] ?? throw new FormatException($"Event {e["event"]}: {key} is missing.");

    private static double Number(JsonNode? value) => value?.GetValue<double>() ?? double.NaN;

    private static string Shorten(string json) => json.Length <= 80 ? json : json[..77] + "...";
}
