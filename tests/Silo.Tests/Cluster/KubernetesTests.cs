using Distributed.Core.Jobs;
using Distributed.Silo.Cluster.Kubernetes;
using Distributed.Silo.Settings;
using Distributed.Testing.Servers;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>What a silo says when Kubernetes does not give it what it needs.</summary>
public sealed class KubernetesTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("dtrain-kubernetes-");
    private FakeKubernetesApi api = null!;

    private KubernetesSettings Settings =>
        new(FakeKubernetesApi.Namespace, "silo-0", FakeKubernetesApi.ConfigMap, Path.Combine(directory.FullName, "kubeconfig"));

    public async Task InitializeAsync()
    {
        api = await FakeKubernetesApi.StartAsync();
        api.WriteKubeConfig(directory.FullName);
        api.AddPod("silo-0");
    }

    public async Task DisposeAsync()
    {
        await api.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private async Task<JobException> Refused(TimeSpan? patience = null) =>
        await Assert.ThrowsAsync<JobException>(
            async () => (await MembershipConfigMap.Open(Settings, FakeKubernetesApi.Cluster, patience ?? Patience)).Dispose());

    [Fact]
    public async Task Open_AllThere_Works() => (await MembershipConfigMap.Open(Settings, FakeKubernetesApi.Cluster, Patience)).Dispose();

    [Fact]
    public async Task Open_FirstCallsAreBrokenOff_TriesAgain()
    {
        api.BreakOff(calls: 3);
        (await MembershipConfigMap.Open(Settings, FakeKubernetesApi.Cluster, Patience)).Dispose();
    }

    [Fact]
    public async Task Open_MapMissing_SaysWhatMakesIt()
    {
        api.RemoveMap();
        var error = await Refused();
        Assert.Contains("configmaps/dtrain-membership'; apply the manifests", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_PodMissing_NamesTheVariables()
    {
        api.RemovePod("silo-0");
        Assert.Contains("pods/silo-0'; POD_NAME and POD_NAMESPACE", (await Refused()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_PodOfAnotherCluster_NamesLabelAndVariable()
    {
        var error = await Assert.ThrowsAsync<JobException>(() => MembershipConfigMap.Open(Settings, "other", Patience));
        Assert.Contains(
            "label orleans/serviceId: found 'dtrain', expected 'other', the DTRAIN_CLUSTER_ID", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET configmaps/dtrain-membership", "get configmaps/dtrain-membership")]
    [InlineData("GET pods", "list pods")]
    public async Task Open_Forbidden_NamesTheRight(string rule, string right)
    {
        api.Forbidden.Add(rule);
        var error = await Refused();
        Assert.Contains($"refuses '{right}' in namespace train (403)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NoApi_IsUnreachable()
    {
        var address = api.Address;
        await api.DisposeAsync();
        var error = await Refused(TimeSpan.FromSeconds(2));
        Assert.Equal("store-unreachable", error.Code);
        Assert.Contains(address, error.Message, StringComparison.Ordinal);
        api = await FakeKubernetesApi.StartAsync();
    }

    [Fact]
    public async Task Open_NoKubeConfig_NamesTheFile()
    {
        var error = await Assert.ThrowsAsync<JobException>(
            () => MembershipConfigMap.Open(Settings with { KubeConfig = "/nowhere/config" }, FakeKubernetesApi.Cluster, Patience));
        Assert.Contains("DTRAIN_KUBE_CONFIG: /nowhere/config", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<JobException>(
            () => MembershipConfigMap.Open(Settings with { KubeConfig = "/" }, FakeKubernetesApi.Cluster, Patience));
        Assert.Equal("DTRAIN_KUBE_CONFIG: / is a folder, expected a kubeconfig file.", error.Message);
    }

    [Fact]
    public async Task Replace_ByTwo_RefusesTheSecond()
    {
        using var one = await MembershipConfigMap.Open(Settings, FakeKubernetesApi.Cluster, Patience);
        using var other = await MembershipConfigMap.Open(Settings, FakeKubernetesApi.Cluster, Patience);
        var (read, stale) = (await one.Read(), await other.Read());
        read.Data = new Dictionary<string, string> { ["a.json"] = "1", ["note"] = "kept" };
        stale.Data = new Dictionary<string, string> { ["a.json"] = "2" };
        Assert.True(await one.TryReplace(read));
        Assert.False(await other.TryReplace(stale));
        Assert.Equal(("1", 1), (api.Table("a"), api.Conflicts));
    }
}
