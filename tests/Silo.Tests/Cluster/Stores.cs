using Distributed.Silo.Settings;
using Distributed.Testing.Servers;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>The servers of one test class, each started when it is first asked for.</summary>
public sealed class Stores : IAsyncLifetime
{
    private readonly Lazy<Task<RedisServer>> redis = new(RedisServer.StartAsync);
    private readonly Lazy<Task<PostgresServer>> postgres = new(PostgresServer.StartAsync);
    private readonly Lazy<Task<FakeKubernetesApi>> kubernetes = new(FakeKubernetesApi.StartAsync);
    private readonly Dictionary<string, ProviderHost> silos = [];
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("dtrain-stores-");

    internal string JobsRoot => directory.FullName;

    /// <summary>A silo of a cluster of its own, all in one store.</summary>
    internal async Task<ClusterSettings> SettingsAsync(string store, string cluster = "dtrain") => new()
    {
        SiloName = "silo-0",
        Slots = 1,
        ClusterId = cluster,
        Clustering = store switch
        {
            "redis" => Clustering.Redis,
            "postgres" => Clustering.Postgres,
            "kubernetes" => Clustering.Kubernetes,
            "files" => Clustering.Files,
            _ => Clustering.Localhost,
        },
        Storage = store switch { "redis" => StateStorage.Redis, "postgres" => StateStorage.Postgres, _ => StateStorage.Files },
        Store = store switch
        {
            "redis" => new Secret((await redis.Value).Store),
            "postgres" => new Secret((await postgres.Value).Store),
            _ => null,
        },
        Kubernetes = store == "kubernetes" ? new KubernetesSettings(
            FakeKubernetesApi.Namespace, "silo-0", FakeKubernetesApi.ConfigMap,
            (await KubernetesAsync(cluster)).WriteKubeConfig(directory.FullName)) : null,
    };

    internal async Task<FakeKubernetesApi> KubernetesAsync(string cluster = FakeKubernetesApi.Cluster)
    {
        var api = await kubernetes.Value;
        api.AddPod("silo-0", cluster);
        return api;
    }

    /// <summary>A running silo, one a store for all tests of the class.</summary>
    internal async Task<ProviderHost> SiloAsync(string store)
    {
        if (silos.TryGetValue(store, out var running)) return running;
        var silo = silos[store] = await ProviderHost.BuildAsync(await SettingsAsync(store), JobsRoot);
        await silo.StartAsync();
        return silo;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var silo in silos.Values) await silo.DisposeAsync();
        if (redis.IsValueCreated) (await redis.Value).Dispose();
        if (postgres.IsValueCreated) (await postgres.Value).Dispose();
        if (kubernetes.IsValueCreated) await (await kubernetes.Value).DisposeAsync();
        directory.Delete(recursive: true);
    }
}
