using Distributed.Core.Jobs;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Tests.Cluster;

public sealed class ClusterSettingsTests
{
    private const string Store = "somewhere:6379,password=very-secret";

    private static ClusterSettings Read(params (string Name, string Value)[] variables) =>
        ClusterSettings.FromEnvironment(variables.ToDictionary(v => v.Name, v => v.Value).GetValueOrDefault);

    [Fact]
    public void FromEnvironment_Nothing_IsOneSiloOnThisMachineWithFiles()
    {
        var settings = Read();
        Assert.Equal(("silo-0", "dtrain", Environment.ProcessorCount), (settings.SiloName, settings.ClusterId, settings.Slots));
        Assert.Equal((Clustering.Localhost, StateStorage.Files), (settings.Clustering, settings.Storage));
        Assert.Equal((null, null, null), (settings.Primary, settings.Store, settings.Kubernetes));
    }

    [Theory]
    [InlineData("redis", StateStorage.Redis)]
    [InlineData("postgres", StateStorage.Postgres)]
    public void FromEnvironment_Store_HoldsMembersAndJobs(string clustering, object storage)
    {
        var settings = Read(
            ("DTRAIN_CLUSTERING", clustering), ("DTRAIN_STORE", Store), ("DTRAIN_SILO_NAME", "a"), ("DTRAIN_SLOTS", "3"),
            ("DTRAIN_CLUSTER_ID", "blue"));
        Assert.Equal((StateStorage)storage, settings.Storage);
        Assert.Equal(("a", 3, "blue", Store), (settings.SiloName, settings.Slots, settings.ClusterId, settings.Store!.Reveal()));
        Assert.DoesNotContain("very-secret", settings.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void FromEnvironment_StoreFile_IsRead()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, $"{Store}\n");
        Assert.Equal(Store, Read(("DTRAIN_STORAGE", "redis"), ("DTRAIN_STORE_FILE", file)).Store!.Reveal());
        File.WriteAllText(file, " \n");
        Assert.Contains(
            "is empty", Assert.Throws<JobException>(() => Read(("DTRAIN_STORAGE", "redis"), ("DTRAIN_STORE_FILE", file))).Message,
            StringComparison.Ordinal);
        File.Delete(file);
        Assert.Equal(
            ErrorCodes.PathMissing, Assert.Throws<JobException>(() => Read(("DTRAIN_STORAGE", "redis"), ("DTRAIN_STORE_FILE", file))).Code);
    }

    [Fact]
    public void FromEnvironment_Kubernetes_BearsThePodsName()
    {
        var settings = Read(("DTRAIN_CLUSTERING", "kubernetes"), ("POD_NAME", "dtrain-1"), ("POD_NAMESPACE", "train"));
        Assert.Equal(("dtrain-1", StateStorage.Files), (settings.SiloName, settings.Storage));
        Assert.Equal(
            ("train", "dtrain-1", "dtrain-membership"),
            (settings.Kubernetes!.Namespace, settings.Kubernetes.Pod, settings.Kubernetes.ConfigMap));
    }

    [Theory]
    [InlineData("DTRAIN_CLUSTERING: found 'etcd', expected one of localhost, files, redis, postgres, kubernetes", "DTRAIN_CLUSTERING=etcd")]
    [InlineData("DTRAIN_STORAGE: found 'Files'", "DTRAIN_STORAGE=Files")]
    [InlineData("DTRAIN_STORAGE: found 'postgres' with DTRAIN_CLUSTERING=redis", "DTRAIN_CLUSTERING=redis", "DTRAIN_STORAGE=postgres")]
    [InlineData("DTRAIN_STORE_FILE is not set", "DTRAIN_CLUSTERING=redis")]
    [InlineData("DTRAIN_STORE_FILE: / is a folder", "DTRAIN_CLUSTERING=redis", "DTRAIN_STORE_FILE=/")]
    [InlineData("are both set", "DTRAIN_CLUSTERING=redis", "DTRAIN_STORE=very-secret", "DTRAIN_STORE_FILE=/tmp/x")]
    [InlineData("nothing is kept there", "DTRAIN_STORE=very-secret")]
    [InlineData("DTRAIN_PRIMARY: found '10.0.0.1:4000'", "DTRAIN_PRIMARY=10.0.0.1:4000")]
    [InlineData("DTRAIN_PRIMARY is set but empty", "DTRAIN_PRIMARY=")]
    [InlineData(
        "DTRAIN_PRIMARY is set with DTRAIN_CLUSTERING=redis", "DTRAIN_PRIMARY=127.0.0.1:4000", "DTRAIN_CLUSTERING=redis",
        "DTRAIN_STORE=very-secret")]
    [InlineData("DTRAIN_SLOTS: found '0'", "DTRAIN_SLOTS=0")]
    [InlineData("DTRAIN_CLUSTER_ID: found 'a/b'", "DTRAIN_CLUSTER_ID=a/b")]
    [InlineData("DTRAIN_SILO_NAME: found '-a'", "DTRAIN_SILO_NAME=-a")]
    [InlineData("POD_NAMESPACE is not set", "DTRAIN_CLUSTERING=kubernetes", "POD_NAME=a")]
    [InlineData("a silo has its pod's name", "DTRAIN_CLUSTERING=kubernetes", "POD_NAME=a", "POD_NAMESPACE=b", "DTRAIN_SILO_NAME=c")]
    public void FromEnvironment_Wrong_SaysWhatWithoutTheStore(string expected, params string[] variables)
    {
        var error = Assert.Throws<JobException>(() => Read([.. variables.Select(v => v.Split('=', 2)).Select(v => (v[0], v[1]))]));
        Assert.Equal("settings-invalid", error.Code);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("very-secret", error.Message, StringComparison.Ordinal);
    }
}
