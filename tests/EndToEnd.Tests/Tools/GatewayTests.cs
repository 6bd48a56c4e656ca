using System.Diagnostics;
using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.EndToEnd.Tests.Train;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>Users with their roles, and clients whose endpoint goes away.</summary>
public sealed class GatewayTests(ClusterSilo cluster) : IClassFixture<ClusterSilo>, IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Users_ByRole_MayOrMayNot()
    {
        var job = directory.Write("job.yaml", Jobs.Endless);
        (await cluster.RunAsAsync("eve", "submit", job, "--id", "eves")).Exits(2).SaysOneFailure()
            .Says("does not allow it: Submit needs the role submit, and user eve has the role view");
        (await cluster.RunAsAsync("ann", "submit", job, "--id", "anns", "--priority", "6")).Exits(2).SaysOneFailure()
            .Says("user ann may ask for 5 at most");
        (await cluster.RunAsAsync("ann", "submit", job, "--id", "anns", "--priority", "5")).Exits(0);
        (await cluster.RunAsync("submit", job, "--id", "admins", "--priority", "1000")).Exits(0);
        var listed = JsonDocument.Parse((await cluster.RunAsAsync("eve", "list", "--json")).Exits(0).Output).RootElement.EnumerateArray()
            .ToDictionary(j => j.GetProperty("id").GetString()!);
        Assert.Equal(("ann", 5), (listed["anns"].GetProperty("user").GetString(), listed["anns"].GetProperty("priority").GetInt32()));
        Assert.Equal("admin", listed["admins"].GetProperty("user").GetString());
        foreach (var verb in new string[][] { ["stop", "admins"], ["resume", "admins"], ["delete", "admins"],
            ["scale", "admins", "--workers", "2"] })
            (await cluster.RunAsAsync("ann", verb)).Exits(2).SaysOneFailure().Says("Job admins belongs to user admin");
        (await cluster.RunAsAsync("eve", "stop", "anns")).Exits(2).SaysOneFailure();
        (await cluster.RunAsync("stop", "admins")).Exits(0);
        (await cluster.RunAsAsync("ann", "stop", "anns")).Exits(0);
    }

    [Fact]
    public async Task Users_AddedWhileTheClusterRuns_AreLetIn()
    {
        var token = (await DtrainProcess.RunAsync("users", "add", cluster.UsersFile, "new", "--role", "view")).Exits(0).Output;
        var file = directory.Write("new.token", token);
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(20));
        DtrainResult listed;
        do
        {
            listed = await DtrainProcess.RunAsync("list", "--cluster", cluster.Address, "--token-file", file);
        }
        while (listed.Code != 0 && !patience.IsCancellationRequested);
        listed.Exits(0);
    }

    [Theory]
    [InlineData("resume")]
    [InlineData("delete")]
    [InlineData("scale", "--workers", "2")]
    [InlineData("logs", "-f")]
    public async Task UnknownJob_Exits4(string verb, params string[] options) =>
        (await cluster.RunAsAsync("ann", [verb, "no-such-job", .. options])).Exits(4).SaysOneFailure().Says("no-such-job");

    [Fact]
    public async Task Submit_FileOfTwoGigabytes_IsRefusedUnread()
    {
        var file = directory.File("huge.yaml");
        using (var sparse = File.Create(file)) sparse.SetLength(2L << 30);
        (await cluster.RunAsync("submit", file)).Exits(2).SaysOneFailure().Says("larger than 1048576 bytes");
    }

    [Fact]
    public async Task Submit_ClusterDown_Exits3()
    {
        var job = directory.Write("job.yaml", Jobs.Endless);
        (await DtrainProcess.RunAsync(
            "submit", job, "--wait", "--cluster", "http://127.0.0.1:1,http://127.0.0.1:2", "--token-file",
            cluster.TokenFile)).Exits(3).SaysOneFailure();
    }

    [Fact]
    public async Task Verbs_FirstAddressDead_GoToTheNext()
    {
        var addresses = $"http://127.0.0.1:1,{cluster.Address}";
        (await DtrainProcess.RunAsync("list", "--cluster", addresses, "--token-file", cluster.TokenFile)).Exits(0);
        (await DtrainProcess.RunAsync("watch", "no-such-job", "--cluster", addresses, "--token-file", cluster.TokenFile)).Exits(4);
    }

    /// <summary>As an address for several silos, one of which has just been lost.</summary>
    [Theory]
    [InlineData("list")]
    [InlineData("watch", "no-such-job")]
    public async Task Verbs_AddressRefusesForAMoment_AskAgain(params string[] command)
    {
        using TcpRelay endpoint = new(new Uri(cluster.Address));
        endpoint.Cut();
        await using var asking = DtrainProcess.Start([.. command, "--cluster", endpoint.Address, "--token-file", cluster.TokenFile]);
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
        endpoint.Mend();
        (await asking.EndAsync()).Exits(command is ["list"] ? 0 : 4);
    }

    [Fact]
    public async Task Questions_WhoseConnectionBreaks_AreAskedAgain_OthersAreNot()
    {
        using TcpRelay endpoint = new(new Uri(cluster.Address));
        string[] there = ["--cluster", endpoint.Address, "--token-file", cluster.TokenFile];
        endpoint.Break(3);
        (await DtrainProcess.RunAsync(["list", .. there])).Exits(0);
        endpoint.Break(int.MaxValue);
        (await DtrainProcess.RunAsync(["submit", directory.Write("job.yaml", Jobs.Endless), .. there])).Exits(3).SaysOneFailure();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watch_DoorGoesAway_WaitsForItOrTakesTheNextAndMissesNothing(bool comesBack)
    {
        using TcpRelay endpoint = new(new Uri(cluster.Address));
        var id = $"watched-{comesBack}";
        (await cluster.RunAsync("submit", directory.Write("job.yaml", Jobs.Endless), "--id", id)).Exits(0);
        var addresses = comesBack ? endpoint.Address : $"{endpoint.Address},{cluster.Address}";
        await using var watching = DtrainProcess.Start(["watch", id, "--json", "--cluster", addresses, "--token-file", cluster.TokenFile]);
        await watching.ReachStepAsync(20);
        endpoint.Cut();
        if (comesBack)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System);
            endpoint.Mend();
        }

        var during = JsonDocument.Parse((await cluster.RunAsync("status", id, "--json")).Exits(0).Output).RootElement.GetProperty("step")
            .GetInt64();
        await watching.ReachStepAsync(during + 100);
        (await cluster.RunAsync("stop", id)).Exits(0);
        var watched = (await watching.EndAsync()).Exits(0).Says("waiting up to 60 s", "answers again");
        var steps = watched.Events.Where(line => line.GetProperty("event").GetString() == "step")
            .Select(line => line.GetProperty("step").GetInt64()).ToList();
        Assert.Equal(Enumerable.Range(1, steps.Count).Select(step => (long)step), steps);
        Assert.Equal("stopped", watched.Events[^1].GetProperty("event").GetString());
    }

    [Fact]
    public async Task Watch_QueuedJobThenCtrlC_SaysWhatItWaitsForAndDetaches()
    {
        var job = directory.Write("job.yaml", Jobs.Endless);
        (await cluster.RunAsync("submit", job, "--id", "before")).Exits(0);
        (await cluster.RunAsync("submit", job, "--id", "behind")).Exits(0);
        await using var watching = DtrainProcess.Start(
            ["watch", "behind", "--cluster", cluster.Address, "--token-file", cluster.TokenFile]);
        await watching.SaidAsync("waiting: ");
        watching.Interrupt();
        (await watching.EndAsync()).Exits(0).Says("Detached; the job continues.");
        Assert.Contains("\"queued\"", (await cluster.RunAsync("status", "behind", "--json")).Output, StringComparison.Ordinal);
        (await cluster.RunAsync("stop", "behind")).Exits(0);
        (await cluster.RunAsync("stop", "before")).Exits(0);
    }

    [Fact]
    public async Task Delete_WithStop_EndsJobsThatWaitAndRunFirst()
    {
        var job = directory.Write("job.yaml", Jobs.Endless);
        (await cluster.RunAsync("submit", job, "--id", "gone-first")).Exits(0);
        (await cluster.RunAsync("submit", job, "--id", "gone-second")).Exits(0);
        await using (var watching = DtrainProcess.Start(
            ["watch", "gone-first", "--json", "--cluster", cluster.Address, "--token-file", cluster.TokenFile]))
            await watching.ReachStepAsync(5);
        (await cluster.RunAsync("delete", "gone-first")).Exits(1).SaysOneFailure().Says("dtrain delete gone-first --stop");
        foreach (var id in new[] { "gone-second", "gone-first" })
        {
            (await cluster.RunAsync("delete", id, "--stop")).Exits(0);
            (await cluster.RunAsync("status", id)).Exits(4);
        }
    }
}
