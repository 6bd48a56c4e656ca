using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing.Servers;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>Silo processes as pods, against a Kubernetes API of our own.</summary>
public sealed class KubernetesSiloTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly ClusterFolder folder = new();
    private FakeKubernetesApi api = null!;

    public async Task InitializeAsync() => api = await FakeKubernetesApi.StartAsync();

    public async Task DisposeAsync() => await api.DisposeAsync();

    public void Dispose() => folder.Dispose();

    private Task<SiloProcess> StartAsync(string pod) => SiloProcess.StartAsync(folder, pod, Add(pod));

    private (string Name, string Value)[] Add(string pod)
    {
        api.AddPod(pod);
        return [("DTRAIN_CLUSTERING", "kubernetes"), ("POD_NAME", pod), ("POD_NAMESPACE", FakeKubernetesApi.Namespace),
            ("POD_IP", "127.0.0.1"), ("DTRAIN_KUBE_CONFIG", api.WriteKubeConfig(folder.Path))];
    }

    /// <summary>Status of each silo in the table, by name.</summary>
    private Dictionary<string, string> Members() =>
        JsonDocument.Parse(api.Table("dtrain")!).RootElement.GetProperty("members").EnumerateArray()
            .ToDictionary(m => m.GetProperty("name").GetString()!, m => m.GetProperty("status").GetString()!);

    private async Task ReachAsync(string silo, string status)
    {
        var time = TimeProvider.System;
        for (var begin = time.GetTimestamp(); Members().GetValueOrDefault(silo) != status; await Task.Delay(LookAgain, time))
            Assert.True(time.GetElapsedTime(begin) < Soon, $"Silo {silo} is not {status}: {api.Table("dtrain")}");
    }

    [Fact]
    public async Task TwoPods_Join_OneIsKilled_TheOtherKnows_AndLeavesInOrder()
    {
        using var first = await StartAsync("dtrain-0");
        using var second = await StartAsync("dtrain-1");
        Assert.Equal(("Active", "Active"), (Members()["dtrain-0"], Members()["dtrain-1"]));
        (await second.RunAsync(folder, "status", "none")).Exits(4);

        // Its pod stays: only the probes of the other silo tell.
        second.Kill();
        await ReachAsync("dtrain-1", "Dead");
        Assert.Equal("Active", Members()["dtrain-0"]);

        await first.LeaveAsync();
        Assert.Equal("Dead", Members()["dtrain-0"]);
    }

    /// <summary>A pod that was deleted by force while its silo goes on.</summary>
    [Fact]
    public async Task PodOfTheSameName_ToldToLeaveWhileItWaitsForTheOther_LeavesInOrder()
    {
        using var first = await StartAsync("dtrain-0");
        using var second = SiloProcess.Begin(folder, "dtrain-0", Add("dtrain-0"));
        var time = TimeProvider.System;
        for (var begin = time.GetTimestamp(); !api.Table("dtrain")!
            .Contains("Joining", StringComparison.Ordinal); await Task.Delay(LookAgain, time))
            Assert.True(time.GetElapsedTime(begin) < Soon, $"No silo joins: {api.Table("dtrain")}");
        await second.LeaveAsync();
        Assert.DoesNotContain("Joining", api.Table("dtrain")!, StringComparison.Ordinal);
        Assert.Contains("Active", api.Table("dtrain")!, StringComparison.Ordinal);
    }

    /// <summary>In its container the silo is the first process, which no signal of its own ends.</summary>
    [ProcessSpaceFact]
    public async Task FirstProcessOfAContainer_WakesAfterItWasGivenUp_Ends()
    {
        using var first = await StartAsync("dtrain-0");
        using var second = await SiloProcess.StartFirstAsync(folder, "dtrain-1", Add("dtrain-1"));
        var inside = Assert.Single(ProcessTable.ChildrenOf(second.Id));
        ProcessTable.Signal(inside, ProcessTable.SigStop);
        await ReachAsync("dtrain-1", "Dead");
        ProcessTable.Signal(inside, ProcessTable.SigCont);
        await second.HasEndedAsync(Soon);
        Assert.Contains("Its jobs continue elsewhere", second.Said, StringComparison.Ordinal);
    }

    /// <summary>As after its node was off the network: nobody tells it.</summary>
    [Fact]
    public async Task Silo_ThatIsDeadInTheTable_EndsSoon()
    {
        using var first = await StartAsync("dtrain-0");
        using var second = await StartAsync("dtrain-1");
        api.Bury("dtrain", "dtrain-1");
        await second.HasEndedAsync(Soon);
        Assert.Contains("given up by the cluster", second.Said, StringComparison.Ordinal);
        await first.LeaveAsync();
    }
}
