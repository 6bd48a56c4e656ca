using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Checkpoints that are damaged, of another job, or in the way.</summary>
[Collection(nameof(CalmRun))]
public sealed class CheckpointTests(CalmRun calm) : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private static string StepOf(string checkpoints, int step) =>
        Path.Combine(checkpoints, FormattableString.Invariant($"step-{step:0000000000}"));

    private static void FlipOneBit(string file)
    {
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
    }

    [Fact]
    public async Task Verify_WholeRun_Exits0() =>
        Assert.DoesNotContain(
            "DAMAGED", (await DtrainProcess.RunAsync("checkpoint", "verify", calm.Checkpoints)).Exits(0).Output, StringComparison.Ordinal);

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("state.json")]
    [InlineData("manifest.json")]
    public async Task Verify_OneFlippedBit_Exits1AndNamesTheFile(string file)
    {
        var checkpoints = directory.Copy(calm.Checkpoints, "checkpoints");
        FlipOneBit(Path.Combine(StepOf(checkpoints, 9), file));
        var verified = (await DtrainProcess.RunAsync("checkpoint", "verify", checkpoints)).Exits(1);
        Assert.Matches($@"step-0000000009 +{file} +DAMAGED", verified.Output);
        Assert.Single(verified.Lines, line => line.Contains("DAMAGED", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Resume_LatestDamaged_WarnsFallsBackAndReachesTheSameBits()
    {
        var place = directory.Copy(calm.Directory, "run");
        var damaged = Path.Combine(StepOf(Path.Combine(place, "checkpoints"), 9), "model.safetensors");
        FlipOneBit(damaged);
        var resumed = (await DtrainProcess.RunAsync("train", calm.JobFile, "--ranks", "3", "--resume", "--json", "--out", place)).Exits(0);
        var warning = Assert.Single(resumed.Events, e => e.GetProperty("event").GetString() == "warning").GetProperty("message")
            .GetString();
        Assert.Contains(StepOf(Path.Combine(place, "checkpoints"), 9), warning, StringComparison.Ordinal);
        Assert.Contains("model.safetensors", warning, StringComparison.Ordinal);
        resumed.Says($"warning: {warning}");
        Assert.Equal(
            [7, 8, 9],
            resumed.Events.Where(e => e.GetProperty("event").GetString() == "step").Select(e => e.GetProperty("step").GetInt32()));
        Assert.Equal(calm.Hash, resumed.Hash);
        // The damaged one has made room for a whole one.
        (await DtrainProcess.RunAsync("checkpoint", "verify", Path.Combine(place, "checkpoints"))).Exits(0);
        (await DtrainProcess.RunAsync("checkpoint", "diff", calm.Checkpoints, Path.Combine(place, "checkpoints"))).Exits(0);
    }

    [Fact]
    public async Task Resume_NothingWhole_Exits1AndLeavesThemAlone()
    {
        var place = directory.Copy(calm.Directory, "run");
        foreach (var step in new[] { 3, 6, 9 }) FlipOneBit(Path.Combine(StepOf(Path.Combine(place, "checkpoints"), step), "state.json"));
        var refused = await DtrainProcess.RunAsync("train", calm.JobFile, "--resume", "--json", "--out", place);
        refused.Exits(1).SaysOneFailure().Says("[checkpoint-invalid]", "no checkpoint that is whole");
        Assert.Equal(3, refused.Events.Count(e => e.GetProperty("event").GetString() == "warning"));
        foreach (var step in new[] { 3, 6, 9 }) Assert.True(Directory.Exists(StepOf(Path.Combine(place, "checkpoints"), step)));
    }

    [Fact]
    public async Task Resume_AnotherSeedAndRate_Exits2AndShowsBoth()
    {
        var place = directory.Copy(calm.Directory, "run");
        var refused = await DtrainProcess.RunAsync(
            "train", calm.JobFile, "--resume", "--set", "seed=8", "--set", "optimizer.lr=0.1", "--set", "steps=12", "--out", place);
        refused.Exits(2).SaysOneFailure()
            .Says("[resume-mismatch]", "seed: 7 in the checkpoint, 8 now", "optimizer.lr: 0.002 in the checkpoint, 0.1 now");
        Assert.DoesNotContain("steps:", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resume_MoreSteps_GoesOnWhereItEnded()
    {
        var place = directory.Copy(calm.Directory, "run");
        var longer = (await DtrainProcess.RunAsync(
            "train", calm.JobFile, "--resume", "--json", "--set", "steps=11", "--ranks", "1", "--out", place)).Exits(0);
        Assert.Equal(
            [10, 11], longer.Events.Where(e => e.GetProperty("event").GetString() == "step").Select(e => e.GetProperty("step").GetInt32()));
    }

    [Fact]
    public async Task Resume_OfAFinishedRun_CompletesAtOnceWithTheSameHash()
    {
        var place = directory.Copy(calm.Directory, "run");
        var again = (await DtrainProcess.RunAsync("train", calm.JobFile, "--resume", "--json", "--out", place)).Exits(0);
        Assert.DoesNotContain(again.Events, e => e.GetProperty("event").GetString() == "step");
        Assert.Equal(calm.Hash, again.Hash);
    }

    [Fact]
    public async Task Train_WhereCheckpointsLie_Exits2()
    {
        var before = Directory.GetFileSystemEntries(calm.Directory);
        (await DtrainProcess.RunAsync("train", calm.JobFile, "--out", calm.Directory)).Exits(2)
            .Says(calm.Checkpoints, "is not empty. Add --resume");
        (await DtrainProcess.RunAsync(
            "train", calm.JobFile, "--out", directory.File("other"), "--set",
            $"checkpoint.path={calm.Checkpoints}")).Exits(2).Says("is not empty. Add --resume");
        Assert.Equal(before, Directory.GetFileSystemEntries(calm.Directory));
    }

    [Fact]
    public async Task Show_Latest_IsTheEndOfTheRun()
    {
        var shown = JsonDocument.Parse(
            (await DtrainProcess.RunAsync("checkpoint", "show", calm.Checkpoints, "--json")).Exits(0).Output).RootElement;
        Assert.Equal(9, shown.GetProperty("step").GetInt32());
    }
}
