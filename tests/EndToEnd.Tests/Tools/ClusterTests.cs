using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.EndToEnd.Tests.Train;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>The verbs of a cluster's clients, against one that runs.</summary>
[Collection(nameof(CalmRun))]
public sealed class ClusterTests(CalmRun calm, ClusterSilo cluster) : IClassFixture<ClusterSilo>, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Submit_Wait_GivesTheHashOfTrainAndStaysOneJob()
    {
        var submitted = (await cluster.RunAsync("submit", calm.JobFile, "--id", "nightly", "--wait", "--json")).Exits(0);
        Assert.Equal(calm.Hash, submitted.Hash);
        Assert.Equal(
            "nightly",
            (await cluster.RunAsync("submit", calm.JobFile, "--id", "nightly")).Exits(0).Says("was there already").Output.Trim());
        (await cluster.RunAsync("submit", calm.JobFile, "--id", "nightly", "--set", "seed=8")).Exits(2).SaysOneFailure();
        var status = JsonDocument.Parse((await cluster.RunAsync("status", "nightly", "--json")).Exits(0).Output).RootElement;
        Assert.Equal(("completed", 9), (status.GetProperty("state").GetString(), status.GetProperty("step").GetInt32()));
        Assert.Contains("nightly", (await cluster.RunAsync("list")).Exits(0).Output, StringComparison.Ordinal);
        // From the first event again, and to the same end.
        Assert.Equal(calm.Hash, (await cluster.RunAsync("watch", "nightly", "--json")).Exits(0).Hash);
        // Jobs of all users lie side by side: nobody but the service's account can read them.
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var written = Directory.EnumerateFileSystemEntries(
            cluster.JobsRoot, "*",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).ToList();
        Assert.Contains(written, path => path.EndsWith("model.safetensors", StringComparison.Ordinal));
        Assert.All(written, path => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & ~owner));
    }

    [Fact]
    public async Task Stop_RunningJobWhoseWatchersLeft_EndsItWithACheckpoint()
    {
        var job = directory.Write("job.yaml", Jobs.Endless);
        (await cluster.RunAsync("submit", job, "--id", "endless")).Exits(0);
        foreach (var follow in new[] { new[] { "watch", "endless", "--json" }, ["logs", "endless", "-f"] })
        {
            await using var following = cluster.Start(follow);
            await following.ReachAnyLineAsync();
            var left = (await following.LeaveAsync()).Exits(141);
            Assert.Empty(left.Error);
        }

        var ended = (await cluster.RunAsync("stop", "endless", "--wait", "--json")).Exits(0);
        Assert.Equal("stopped", ended.Events[0].GetProperty("state").GetString());
        var watched = (await cluster.RunAsync("watch", "endless", "--json")).Exits(0);
        Assert.Equal("stopped", watched.Events[^1].GetProperty("event").GetString());
        // Of a job that has ended, only its end is news.
        Assert.Equal(watched.Lines[^1], Assert.Single((await cluster.RunAsync("watch", "endless", "--from-now", "--json")).Exits(0).Lines));
        var log = (await cluster.RunAsync("logs", "endless")).Exits(0).Lines;
        Assert.Equal(log.TakeLast(2), (await cluster.RunAsync("logs", "endless", "--tail", "2")).Exits(0).Lines);
        Assert.Empty((await cluster.RunAsync("logs", "endless", "--since", "2100-01-01T00:00:00Z")).Exits(0).Lines);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("watch")]
    [InlineData("stop")]
    public async Task UnknownJob_Exits4(string verb) =>
        (await cluster.RunAsync(verb, "no-such-job")).Exits(4).SaysOneFailure().Says("no-such-job");

    [Theory]
    [InlineData("/etc/passwd", "absolute path")]
    [InlineData("../jobs", "'..'")]
    public async Task Submit_PathOutsideTheRoots_Exits2(string path, string word)
    {
        var job = directory.Write("job.yaml", Jobs.Tensors.Replace("DATA", path, StringComparison.Ordinal));
        (await cluster.RunAsync("submit", job)).Exits(2).SaysOneFailure().Says("data.path", word);
    }

    [Fact]
    public async Task WrongToken_Exits2()
    {
        var token = directory.Write("token", "another token, long enough");
        (await DtrainProcess.RunAsync("list", "--cluster", cluster.Address, "--token-file", token)).Exits(2).SaysOneFailure()
            .Says("refused the token");
    }
}
