using System.Text.Json;
using System.Text.RegularExpressions;
using Distributed.EndToEnd.Tests.Cli;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>What a run says and leaves behind.</summary>
[Collection(nameof(CalmRun))]
public sealed partial class EventsTests(CalmRun calm)
{
    private static readonly Dictionary<string, string[]> Fields = new()
    {
        ["started"] = ["job", "generation", "ranks", "data"],
        ["step"] =
        [
            "step", "epoch", "loss", "items", "lr", "lossScale", "growthTracker", "skipped", "updates", "gradNorm", "generation", "seconds",
            "phases",
        ],
        ["eval"] = ["step", "metrics"],
        ["checkpoint"] = ["step", "path"],
        ["completed"] = ["steps", "loss", "weightsSha256", "skippedSteps", "seconds", "samplesPerSecond", "checkpoint"],
    };

    private IEnumerable<JsonElement> Of(string name) => calm.Result.Events.Where(e => e.GetProperty("event").GetString() == name);

    [Fact]
    public void Json_EveryLine_HasItsFields()
    {
        foreach (var e in calm.Result.Events)
        {
            var name = e.GetProperty("event").GetString()!;
            Assert.Contains(name, Fields.Keys);
            Assert.Superset(Fields[name].ToHashSet(), e.EnumerateObject().Select(field => field.Name).ToHashSet());
        }
    }

    [Fact]
    public void Json_Events_ComeInOrder() => Assert.Equal(
        [
            "started", "step 1", "step 2", "step 3", "checkpoint 3", "step 4", "eval 4", "step 5", "step 6", "checkpoint 6",
            "step 7", "step 8", "eval 8", "step 9", "eval 9", "checkpoint 9", "completed",
        ],
        calm.Result.Events.Select(e => e.GetProperty("event").GetString() + (e.TryGetProperty("step", out var step) ? $" {step}" : "")));

    [Fact]
    public void Json_Steps_AgreeWithEachOther()
    {
        var steps = Of("step").ToList();
        Assert.Equal([48, 48, 48, 48, 8, 48, 48, 48, 48], steps.Select(s => s.GetProperty("items").GetInt32()));
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1, 1], steps.Select(s => s.GetProperty("epoch").GetInt32()));
        var (updates, scale, tracker) = (0, (double)3e38f, 0);
        foreach (var step in steps)
        {
            var skipped = step.GetProperty("skipped").GetBoolean();
            var scaleAfter = step.GetProperty("lossScale").GetDouble();
            if (skipped) Assert.Equal(scale / 2, scaleAfter);
            scale = scaleAfter;
            tracker = skipped || tracker == 2 ? 0 : tracker + 1;
            Assert.Equal(tracker, step.GetProperty("growthTracker").GetInt32());
            updates += skipped ? 0 : 1;
            Assert.Equal(updates, step.GetProperty("updates").GetInt32());
            Assert.Equal(skipped, step.GetProperty("gradNorm").ValueKind == JsonValueKind.Null);
            Assert.Equal(1, step.GetProperty("generation").GetInt32());
            var phases = step.GetProperty("phases");
            foreach (var phase in new[] { "data", "forward", "backward", "exchange", "decide", "apply" })
                Assert.InRange(phases.GetProperty(phase).GetDouble(), 0, step.GetProperty("seconds").GetDouble() + 0.001);
        }
        // The scale was meant to overflow, to be small enough, and to grow until it overflows again.
        Assert.InRange(steps.Count(step => step.GetProperty("skipped").GetBoolean()), 2, steps.Count - 4);
    }

    [Fact]
    public void Json_Completed_AgreesWithTheSteps()
    {
        var completed = Assert.Single(Of("completed"));
        var steps = Of("step").ToList();
        Assert.Equal(9, completed.GetProperty("steps").GetInt32());
        Assert.Equal(steps.Count(s => s.GetProperty("skipped").GetBoolean()), completed.GetProperty("skippedSteps").GetInt32());
        Assert.Equal(steps[^1].GetProperty("loss").GetDouble(), completed.GetProperty("loss").GetDouble());
        Assert.Matches("^[0-9a-f]{64}$", calm.Hash);
        Assert.True(completed.GetProperty("samplesPerSecond").GetDouble() > 0);
        Assert.True(completed.GetProperty("seconds").GetDouble() > 0);
        Assert.True(Directory.Exists(completed.GetProperty("checkpoint").GetString()));
        Assert.InRange(Of("eval").Last().GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0, 1);
        Assert.True(double.IsFinite(Of("eval").Last().GetProperty("metrics").GetProperty("loss").GetDouble()));
    }

    [Fact]
    public void Json_Started_PlacesEveryRank()
    {
        var started = calm.Result.Events[0];
        var ranks = started.GetProperty("ranks").EnumerateArray().ToList();
        Assert.Equal([0, 1], ranks.Select(rank => rank.GetProperty("rank").GetInt32()));
        Assert.All(ranks, rank => Assert.Matches(@"^cpu:\d+$", rank.GetProperty("device").GetString()));
        Assert.All(ranks, rank => Assert.NotEmpty(rank.GetProperty("silo").GetString()!));
        Assert.NotEmpty(started.GetProperty("job").GetString()!);
    }

    [Fact]
    public async Task RunDirectory_HoldsEventsJobAndEnvironment()
    {
        Assert.Equal(calm.Result.Output, await File.ReadAllTextAsync(Path.Combine(calm.Directory, "events.jsonl")));
        Assert.Equal("", calm.Result.Error);
        using var environment = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(calm.Directory, "environment.json")));
        foreach (var key in new[] { "version", "dotNet", "os", "cpu", "fingerprint" })
            Assert.False(string.IsNullOrEmpty(environment.RootElement.GetProperty(key).GetString()), $"environment.json: {key} is empty.");
        Assert.Equal(CalmRun.Ranks, environment.RootElement.GetProperty("ranks").GetInt32());
        Assert.True(environment.RootElement.GetProperty("cores").GetInt32() > 0);
        // The resolved job is itself a job file: it is refused for the ranks alone.
        var job = Path.Combine(calm.Directory, "job.json");
        (await DtrainProcess.RunAsync("train", job, "--ranks", "13")).Exits(2).Says("--ranks 13 is more than the 12 micro-batches");
    }

    /// <summary>The run's password is 64 hexadecimal digits, and so is every hash: each of those must be a known one.</summary>
    [Fact]
    public async Task RunDirectory_HoldsNoToken()
    {
        var files = Directory.GetFiles(calm.Directory, "*", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        var data = Of("started").Single().GetProperty("data").GetProperty("sha256").GetString();
        foreach (var file in files.Where(file => Path.GetFileName(file) != "manifest.json"))
        {
            var text = System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file));
            foreach (var digits in Secret().Matches(text).Select(match => match.Value))
                Assert.True(digits == calm.Hash || digits == data, $"{file} holds {digits}, which is no hash of this run.");
        }
    }

    [GeneratedRegex("(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])")]
    private static partial Regex Secret();
}
