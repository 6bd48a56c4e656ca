using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Distributed.Core.Documents;
using Distributed.Core.LossScaling;
using Distributed.Core.Options;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>A job as canonical JSON: the job file's names, one order, defaults written out, absent parts left out.</summary>
public static class JobSpecJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Equal jobs give equal text; <see cref="Read"/> gives the job back.</summary>
    public static string Write(JobSpec spec)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Options)) WriteJob(json, spec);
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <summary>Reads and checks a job; a text of any origin is safe to read.</summary>
    public static JobSpecResult Read(string json)
    {
        var parsed = JsonSpecNodes.Parse(json);
        return parsed.Root is { } root ? JobSpecReader.Read(root) : new(null, parsed.Errors);
    }

    private static void WriteJob(Utf8JsonWriter json, JobSpec spec)
    {
        json.WriteStartObject();
        json.WriteString("name", spec.Name);
        WriteModel(json, spec.Model);
        WriteData(json, spec.Data);
        json.WriteString("precision", JobWords.Of(spec.Precision));
        json.WriteNumber("globalBatch", spec.GlobalBatch);
        json.WriteNumber("microBatch", spec.MicroBatch);
        Optional(json, "steps", spec.Steps);
        Optional(json, "epochs", spec.Epochs);
        json.WriteBoolean("shuffle", spec.Shuffle);
        json.WriteNumber("seed", spec.Seed);
        WriteImages(json, spec);
        WriteNamed(json, "optimizer", spec.Optimizer.Name, spec.Optimizer.Options);
        WriteNamed(json, "schedule", spec.Schedule.Name, spec.Schedule.Options);
        Optional(json, "clipNorm", spec.ClipNorm);
        WriteLossScale(json, spec.LossScale);
        WriteRun(json, spec);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, ModelSpec model)
    {
        json.WriteStartObject("model");
        json.WriteString("name", model.Name);
        Optional(json, "weights", model.Weights);
        OptionSet.Of(model.Options.GetType()).Write(json, model.Options);
        json.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter json, DataSpec data)
    {
        json.WriteStartObject("data");
        json.WriteString("name", data.Name);
        Optional(json, "path", data.Path);
        OptionSet.Of(data.Options.GetType()).Write(json, data.Options);
        json.WriteEndObject();
    }

    private static void WriteImages(Utf8JsonWriter json, JobSpec spec)
    {
        if (spec.Normalize is { } normalize)
        {
            json.WriteStartObject("normalize");
            Numbers(json, "mean", normalize.Mean);
            Numbers(json, "std", normalize.Std);
            json.WriteEndObject();
        }

        if (spec.Augment is not { } augment) return;
        json.WriteStartObject("augment");
        json.WriteBoolean("flip", augment.Flip);
        json.WriteNumber("crop", augment.Crop);
        json.WriteEndObject();
    }

    private static void WriteNamed(Utf8JsonWriter json, string section, string name, object options)
    {
        json.WriteStartObject(section);
        json.WriteString("name", name);
        OptionSet.Of(options.GetType()).Write(json, options);
        json.WriteEndObject();
    }

    private static void WriteLossScale(Utf8JsonWriter json, LossScaleSpec? lossScale)
    {
        if (lossScale is null) return;
        json.WriteStartObject("lossScale");
        json.WriteString("policy", lossScale.Policy);
        json.WriteNumber("init", lossScale.Init);
        json.WriteNumber("growth", lossScale.Growth);
        json.WriteNumber("backoff", lossScale.Backoff);
        json.WriteNumber("interval", lossScale.Interval);
        Optional(json, "min", lossScale.Min);
        Optional(json, "max", lossScale.Max);
        json.WriteNumber("hysteresis", lossScale.Hysteresis);
        json.WriteNumber("maxConsecutiveSkips", lossScale.MaxConsecutiveSkips);
        json.WriteNumber("maxSkippedShare", lossScale.MaxSkippedShare);
        json.WriteEndObject();
    }

    private static void WriteRun(Utf8JsonWriter json, JobSpec spec)
    {
        json.WriteStartObject("workers");
        json.WriteNumber("min", spec.Workers.Min);
        Optional(json, "max", spec.Workers.Max);
        json.WriteString("device", spec.Workers.Device);
        json.WriteNumber("intraOpThreads", spec.Workers.IntraOpThreads);
        json.WriteBoolean("overlap", spec.Workers.Overlap);
        Optional(json, "stepDeadline", spec.Workers.StepDeadline);
        json.WriteEndObject();
        json.WriteString("exchange", JobWords.Of(spec.Exchange));
        json.WriteStartObject("checkpoint");
        Optional(json, "path", spec.Checkpoint.Path);
        Optional(json, "everySteps", spec.Checkpoint.EverySteps);
        json.WriteNumber("keep", spec.Checkpoint.Keep);
        json.WriteEndObject();
        if (spec.Evaluate is { } evaluate)
        {
            json.WriteStartObject("evaluate");
            json.WriteNumber("everySteps", evaluate.EverySteps);
            json.WriteEndObject();
        }

        if (spec.Limits is not { } limits) return;
        json.WriteStartObject("limits");
        if (limits.Queued is { } queued) json.WriteString("queued", DurationText.Write(queued));
        if (limits.Run is { } run) json.WriteString("run", DurationText.Write(run));
        Optional(json, "losses", limits.Losses);
        json.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter json, string key, string? value)
    {
        if (value is not null) json.WriteString(key, value);
    }

    private static void Optional(Utf8JsonWriter json, string key, double? value)
    {
        if (value is { } number) json.WriteNumber(key, number);
    }

    private static void Optional(Utf8JsonWriter json, string key, long? value)
    {
        if (value is { } number) json.WriteNumber(key, number);
    }

    private static void Numbers(Utf8JsonWriter json, string key, IEnumerable<double> values)
    {
        json.WriteStartArray(key);
        foreach (var value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
