using Distributed.Core.Jobs;
using Distributed.Silo.Cluster.Files;
using Distributed.Silo.Cluster.Kubernetes;
using Distributed.Silo.Cluster.Postgres;
using Distributed.Silo.Cluster.Redis;
using Distributed.Silo.Cluster.Roots;
using Distributed.Silo.Settings;
using Npgsql;
using StackExchange.Redis;

namespace Distributed.Silo.Cluster;

/// <summary>What a silo is connected to besides the other silos: opened, checked and prepared before Orleans starts.</summary>
internal sealed class ClusterConnections : IAsyncDisposable
{
    /// <summary>From the start to the error of a store that does not answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    /// <summary>
    /// A pod that gives up is started again later and later; on a node where everything starts at once, the first calls take long.
    /// </summary>
    private static readonly TimeSpan PodPatience = TimeSpan.FromSeconds(30);

    public StateFiles? Files { get; private init; }

    public IConnectionMultiplexer? Redis { get; private init; }

    public NpgsqlDataSource? Postgres { get; private init; }

    public MembershipConfigMap? Kubernetes { get; private init; }

    /// <summary>
    /// Equal for all silos that keep their members in the same store under the same id, and lost with the members; null:
    /// no store keeps them.
    /// </summary>
    public string? StoreIdentity { get; private set; }

    /// <param name="settings">Null: a client's own silo, which needs none.</param>
    /// <exception cref="JobException">
    /// Codes <c>store-unreachable</c>, <c>store-schema</c>, <c>cluster-unreachable</c>, <c>settings-invalid</c>, <c>storage</c>.
    /// </exception>
    public static async Task<ClusterConnections> Open(ClusterSettings? settings, string jobsRoot)
    {
        if (settings is null) return new ClusterConnections();
        var files = settings.Storage == StateStorage.Files || settings.Clustering == Clustering.Files
            ? new StateFiles(StateFiles.Root(jobsRoot, settings.ClusterId), TimeProvider.System)
            : null;
        files?.Prepare();
        if (settings.Primary is { } primary) await PrimarySilo.Await(primary, Patience);
        var redis = settings.Clustering == Clustering.Redis || settings.Storage == StateStorage.Redis;
        var postgres = settings.Clustering == Clustering.Postgres || settings.Storage == StateStorage.Postgres;
        var connections = new ClusterConnections
        {
            Files = files,
            Redis = redis ? await RedisStore.Connect(settings.Store!, Patience) : null,
            Postgres = postgres ? await PostgresStore.Connect(settings.Store!, Patience) : null,
            Kubernetes = settings.Kubernetes is { } kubernetes
                ? await MembershipConfigMap.Open(kubernetes, settings.ClusterId, PodPatience)
                : null,
        };
        try
        {
            connections.StoreIdentity = await connections.Identify(settings);
            return connections;
        }
        catch
        {
            await connections.DisposeAsync();
            throw;
        }
    }

    private async Task<string?> Identify(ClusterSettings settings) => settings.Clustering switch
    {
        Clustering.Redis => await RedisStore.Identity(Redis!, settings.ClusterId, Patience),
        Clustering.Postgres => await PostgresStore.Identity(Postgres!, settings.ClusterId, Patience),
        Clustering.Kubernetes => Kubernetes!.Identity,
        // The members are in the root itself, and meet on loopback: every silo that keeps jobs there meets the same ones, on one machine.
        Clustering.Files => $"the members' file of this root on {ThisMachine.Loopback}",
        _ => null,
    };

    public async ValueTask DisposeAsync()
    {
        if (Redis is not null) await Redis.DisposeAsync();
        if (Postgres is not null) await Postgres.DisposeAsync();
        Kubernetes?.Dispose();
    }
}
