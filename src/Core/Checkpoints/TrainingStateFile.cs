using System.Text.Json;
using Distributed.Core.Jobs;
using Distributed.Core.LossScaling;
using Distributed.Core.Machine;
using Distributed.Core.Samples;
using Distributed.Core.Stepping;

namespace Distributed.Core.Checkpoints;

/// <summary><c>state.json</c>: a <see cref="TrainingSnapshot"/> as JSON; every float comes back bit for bit.</summary>
public static class TrainingStateFile
{
    /// <summary>Version of the form; another one is refused.</summary>
    public const int FormatVersion = 1;

    /// <exception cref="ArgumentException">
    /// The scale is not finite or <see cref="TrainingSnapshot.SpecJson"/> is no JSON object.
    /// </exception>
    public static void Write(Stream stream, TrainingSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var scaling = snapshot.State.LossScale;
        if (!float.IsFinite(scaling.Scale)) throw new ArgumentException($"Loss scale {scaling.Scale} cannot be stored.", nameof(snapshot));
        using var spec = JsonDocument.Parse(snapshot.SpecJson);
        using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        writer.WriteStartObject();
        writer.WriteNumber("version", FormatVersion);
        writer.WriteNumber("step", snapshot.State.Step);
        writer.WriteNumber("updates", snapshot.State.Updates);
        writer.WriteStartObject("lossScale");
        writer.WriteNumber("scale", scaling.Scale);
        writer.WriteNumber("growthTracker", scaling.GrowthTracker);
        writer.WriteNumber("hysteresis", scaling.Hysteresis);
        writer.WriteNumber("lastOverflow", scaling.LastOverflow);
        writer.WriteNumber("consecutiveSkips", scaling.ConsecutiveSkips);
        writer.WriteEndObject();
        WriteSkips(writer, snapshot.State.Skips);
        if (snapshot.State.RecentSkips > 0) writer.WriteNumber("recentSkips", snapshot.State.RecentSkips);
        writer.WriteNumber("seed", snapshot.Seed);
        writer.WriteString("fingerprint", snapshot.Fingerprint);
        WriteData(writer, snapshot.Data);
        writer.WriteStartObject("parameterSteps");
        foreach (var (name, steps) in snapshot.ParameterSteps.OrderBy(p => p.Key, StringComparer.Ordinal)) writer.WriteNumber(name, steps);
        writer.WriteEndObject();
        writer.WritePropertyName("job");
        spec.RootElement.WriteTo(writer);
        writer.WriteEndObject();
    }

    private static void WriteData(Utf8JsonWriter writer, DataSummary? data)
    {
        if (data is null) return;
        writer.WriteStartObject("data");
        writer.WriteNumber("train", data.Train);
        writer.WriteNumber("test", data.Test);
        writer.WriteNumber("classes", data.Classes);
        writer.WriteNumber("vocabulary", data.Vocabulary);
        writer.WriteString("sha256", data.Sha256);
        writer.WriteEndObject();
    }

    private static void WriteSkips(Utf8JsonWriter writer, SkipTally skips)
    {
        if (skips.Unexplained == 0) return;
        writer.WriteStartObject("unexplainedSkips");
        writer.WriteNumber("count", skips.Unexplained);
        writer.WriteNumber("firstStep", skips.FirstStep);
        writer.WriteString("firstParameter", skips.FirstParameter);
        writer.WriteEndObject();
    }

    /// <exception cref="JobException"><c>checkpoint-invalid</c> naming the file and what is wrong in it.</exception>
    public static TrainingSnapshot Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(
                RegularFile.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException
            or IOException or UnauthorizedAccessException)
        {
            throw new JobException(ErrorCodes.CheckpointInvalid, $"{path}: no valid training state ({e.Message}).", e);
        }
    }

    private static TrainingSnapshot Read(JsonElement root)
    {
        var version = root.GetProperty("version").GetInt32();
        if (version != FormatVersion) throw new FormatException($"format version {version}, expected {FormatVersion}");
        var scaling = root.GetProperty("lossScale");
        var job = root.GetProperty("job");
        if (job.ValueKind != JsonValueKind.Object) throw new FormatException("\"job\" is not an object");
        var snapshot = new TrainingSnapshot
        {
            State = new TrainerState(
                root.GetProperty("step").GetInt64(), root.GetProperty("updates").GetInt64(), ReadLossScale(scaling), ReadSkips(root))
            {
                RecentSkips = root.TryGetProperty("recentSkips", out var recent) ? recent.GetDouble() : 0,
            },
            Seed = root.GetProperty("seed").GetInt64(),
            Fingerprint = root.GetProperty("fingerprint").GetString() ?? throw new FormatException("\"fingerprint\" is null"),
            Data = root.TryGetProperty("data", out var data) ? ReadData(data) : null,
            ParameterSteps = root.GetProperty("parameterSteps").EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetInt64(), StringComparer.Ordinal),
            SpecJson = job.GetRawText(),
        };
        Check(snapshot);
        return snapshot;
    }

    private static DataSummary ReadData(JsonElement data) => new(
        data.GetProperty("train").GetInt64(),
        data.GetProperty("test").GetInt64(),
        data.GetProperty("classes").GetInt32(),
        data.GetProperty("vocabulary").GetInt32(),
        data.GetProperty("sha256").GetString() ?? throw new FormatException("\"sha256\" is null"));

    private static LossScaleState ReadLossScale(JsonElement scaling) => new(
        scaling.GetProperty("scale").GetSingle(),
        scaling.GetProperty("growthTracker").GetInt32(),
        scaling.GetProperty("hysteresis").GetInt32(),
        scaling.GetProperty("lastOverflow").GetInt32(),
        scaling.GetProperty("consecutiveSkips").GetInt32());

    /// <remarks>Absent where there are none, and in checkpoints of versions that did not count them.</remarks>
    private static SkipTally ReadSkips(JsonElement root) => root.TryGetProperty("unexplainedSkips", out var skips)
        ? new(
            skips.GetProperty("count").GetInt64(), skips.GetProperty("firstStep").GetInt64(),
            skips.GetProperty("firstParameter").GetString())
        : default;

    private static void Check(TrainingSnapshot snapshot)
    {
        var state = snapshot.State;
        if (state.Step < 0 || state.Updates < 0 || state.Updates > state.Step)
            throw new FormatException($"step {state.Step}, updates {state.Updates}; expected 0 <= updates <= step");
        if (state.Skips.Unexplained < 0 || state.Skips.Unexplained > state.SkippedSteps)
            throw new FormatException($"{state.Skips.Unexplained} unexplained skips, expected 0 to {state.SkippedSteps}");
        if (state.RecentSkips is not (>= 0 and <= 1))
            throw new FormatException($"share {state.RecentSkips} of recent skips, expected 0 to 1");
        if (!float.IsFinite(state.LossScale.Scale))
            throw new FormatException($"loss scale {state.LossScale.Scale}, expected a finite number");
        foreach (var (name, steps) in snapshot.ParameterSteps)
        {
            if (steps < 0 || steps > state.Updates)
                throw new FormatException($"parameter \"{name}\" has {steps} steps, expected 0 to {state.Updates}");
        }
    }
}
