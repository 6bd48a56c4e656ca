using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Final weights are a function of the job file alone.</summary>
[Collection(nameof(CalmRun))]
public sealed class WeightsTests(CalmRun calm) : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Train_AnyRanks_SameHash(int ranks)
    {
        var run = (await DtrainProcess.RunInAsync(directory.Path, "train", calm.JobFile, "--ranks", $"{ranks}", "--json")).Exits(0);
        Assert.Equal(calm.Hash, run.Hash);
        Assert.Equal(ranks, run.Events[0].GetProperty("ranks").GetArrayLength());
        if (ranks > Environment.ProcessorCount) run.Says($"warning: {ranks} ranks share {Environment.ProcessorCount} cores");
        // Without --out a run lies under runs/ of the working directory.
        var place = Assert.Single(Directory.GetDirectories(directory.File("runs")));
        Assert.Equal(run.Output, await File.ReadAllTextAsync(Path.Combine(place, "events.jsonl")));
    }

    [Fact]
    public async Task Train_AnotherSeed_AnotherHash()
    {
        var run = (await DtrainProcess.RunAsync("train", calm.JobFile, "--set", "seed=8", "--json", "--out", directory.File("run")))
            .Exits(0);
        Assert.NotEqual(calm.Hash, run.Hash);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(4, 2)]
    public async Task Resume_AtAnotherWorldSize_SameHash(int before, int after)
    {
        var place = directory.File("run");
        var stopped = (await DtrainProcess.RunAsync("train", calm.JobFile, "--ranks", $"{before}", "--stop-at", "4", "--out", place))
            .Exits(0);
        Assert.Matches("(?m)^stopped +after step 4$", stopped.Output);
        var resumed = (await DtrainProcess.RunAsync("train", calm.JobFile, "--ranks", $"{after}", "--resume", "--out", place)).Exits(0);
        Assert.Matches($"(?m)^weightsSha256 +{calm.Hash}$", resumed.Output);
        Assert.Matches(@"(?m)^completed +9 steps, last loss \d", resumed.Output);
        Assert.Matches(@"(?m)^evaluation +accuracy 0\.\d+, loss \d.* \(after step 9\)$", resumed.Output);
        Assert.Matches(@"(?m)^throughput +\d+ samples/s", resumed.Output);
        Assert.Matches("(?m)^loss scale +.", resumed.Output);
        Assert.Matches($"(?m)^checkpoint +{place}/checkpoints/", resumed.Output);
        Assert.DoesNotContain("warning: Checkpoint", resumed.Error, StringComparison.Ordinal);
    }
}
