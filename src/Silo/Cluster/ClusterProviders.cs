using System.Net;
using Distributed.Grains;
using Distributed.Grains.Contracts;
using Distributed.Silo.Cluster.Clocks;
using Distributed.Silo.Cluster.Files;
using Distributed.Silo.Cluster.Kubernetes;
using Distributed.Silo.Cluster.Postgres;
using Distributed.Silo.Settings;
using Orleans.Configuration;
using Orleans.Runtime.Hosting;
using Orleans.Serialization;
using Orleans.Storage;

namespace Distributed.Silo.Cluster;

/// <summary>Gives a cluster's silo its table of members and its storage.</summary>
internal static class ClusterProviders
{
    private const string Npgsql = "Npgsql";

    /// <summary>The storage of <see cref="StorageNames.Jobs"/> without its words for failures.</summary>
    private const string Plain = "plain";

    /// <summary>
    /// A member that has not written for twice this time is probed by silos that join, so that a cluster which was killed as a
    /// whole starts again soon.
    /// </summary>
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(5);

    /// <summary>A silo that other members do not answer for so long gives up; by then a dead one is known as such.</summary>
    private static readonly TimeSpan LongestJoin = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a dead silo's row stays, for it to read should it wake. A pod that restarts without end makes a row each time, and a
    /// ConfigMap holds 1 MiB.
    /// </summary>
    private static readonly TimeSpan Grave = TimeSpan.FromDays(1);

    /// <param name="siloPort">Port of the Orleans endpoint.</param>
    /// <param name="leave">Ends the wait for a silo of the same name.</param>
    public static void Configure(
        ISiloBuilder silo, ClusterSettings cluster, ClusterConnections connections, int siloPort, CancellationToken leave = default)
    {
        AddMembership(silo, cluster, connections, siloPort);
        AddStorage(silo, cluster, connections);
        silo.Services.Configure<ExceptionSerializationOptions>(CarryStoreErrors);
        // One id for both: the jobs of another cluster in the same store are another cluster's.
        silo.Services.PostConfigure<ClusterOptions>(o => o.ServiceId = o.ClusterId = cluster.ClusterId);
        silo.Configure<ClusterMembershipOptions>(o =>
            (o.IAmAliveTablePublishTimeout, o.NumMissedTableIAmAliveLimit, o.MaxJoinAttemptTime,
                o.DefunctSiloExpiration) = (SignOfLife, 2, LongestJoin, Grave));
        silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>>(
            s => ActivatorUtilities.CreateInstance<SiloNameGuard>(s, cluster, leave));
    }

    /// <summary>What a store's client throws on one silo reaches another as what it is, not as an error of serialization.</summary>
    public static void CarryStoreErrors(ExceptionSerializationOptions options) =>
        options.SupportedNamespacePrefixes.UnionWith([nameof(StackExchange), Npgsql, nameof(k8s)]);

    private static void AddMembership(ISiloBuilder silo, ClusterSettings cluster, ClusterConnections connections, int siloPort)
    {
        if (cluster.Clustering == Clustering.Localhost)
        {
            silo.UseLocalhostClustering(siloPort, gatewayPort: 0, cluster.Primary, cluster.ClusterId, cluster.ClusterId);
            return;
        }

        silo.Configure<EndpointOptions>(o =>
        {
            o.AdvertisedIPAddress = IPAddress.Loopback;
            o.SiloListeningEndpoint = new IPEndPoint(IPAddress.Loopback, siloPort);
            o.SiloPort = siloPort;
            // No gateway: grains are reached from inside the silos only.
            o.GatewayPort = 0;
        });
        switch (cluster.Clustering)
        {
            case Clustering.Files:
                silo.Services.AddSingleton<IMembershipTable>(new FileMembershipTable(connections.Files!));
                break;
            case Clustering.Redis:
                silo.UseRedisClustering(o =>
                {
                    o.ConfigurationOptions = new StackExchange.Redis.ConfigurationOptions();
                    o.CreateMultiplexer = _ => Task.FromResult((connections.Redis!, true));
                });
                break;
            case Clustering.Postgres:
                silo.UseAdoNetClustering(o => (o.Invariant, o.DataSource) = (Npgsql, connections.Postgres));
                break;
            default:
                silo.UseKubernetesHosting(
                    o => o.Configure(k => k.GetClientConfiguration = () => KubernetesAccess.Configuration(cluster.Kubernetes!)));
                silo.Services.AddSingleton<IMembershipTable>(new KubernetesMembershipTable(connections.Kubernetes!, cluster.ClusterId));
                break;
        }

        ReadByOwnClock(silo.Services);
    }

    /// <summary>Rows of a silo whose clock was ahead would hold up a restart for as long as that.</summary>
    private static void ReadByOwnClock(IServiceCollection services)
    {
        var table = services.Last(s => s.ServiceType == typeof(IMembershipTable));
        services.Remove(table);
        services.AddSingleton<IMembershipTable>(s => new ClockedMembershipTable(
            (IMembershipTable)(table.ImplementationInstance ?? table.ImplementationFactory?.Invoke(s)
                ?? ActivatorUtilities.CreateInstance(s, table.ImplementationType!)),
            TimeProvider.System, s.GetRequiredService<ILogger<ClockedMembershipTable>>()));
    }

    private static void AddStorage(ISiloBuilder silo, ClusterSettings cluster, ClusterConnections connections)
    {
        const string Jobs = StorageNames.Jobs;
        silo.Services.PostConfigure<OrleansJsonSerializerOptions>(o =>
        {
            var names = o.JsonSerializerSettings.SerializationBinder
                ?? throw new InvalidOperationException("Orleans finds the types of stored records in another way than by a binder.");
            o.JsonSerializerSettings.SerializationBinder = new StoredTypeNames(names);
        });
        switch (cluster.Storage)
        {
            case StateStorage.Files:
                silo.Services.AddGrainStorage(Jobs, (services, _) => new NamedStorage(
                    ActivatorUtilities.CreateInstance<FileGrainStorage>(services, connections.Files!), "the files"));
                break;
            case StateStorage.Redis:
                AddNamed(silo, StoreWords.Redis(connections.Redis!.GetEndPoints()));
                silo.AddRedisGrainStorage(Plain, o =>
                {
                    o.ConfigurationOptions = new StackExchange.Redis.ConfigurationOptions();
                    o.CreateMultiplexer = _ => Task.FromResult((connections.Redis!, true));
                });
                break;
            case StateStorage.Postgres:
                AddNamed(silo, StoreWords.Postgres(connections.Postgres!.ConnectionString));
                silo.AddAdoNetGrainStorage(
                    Plain, o => (o.Invariant, o.DataSource, o.HashPicker) = (Npgsql, connections.Postgres, new ExactKeyHash()));
                break;
            default:
                silo.AddMemoryGrainStorage(Jobs);
                break;
        }
    }

    private static void AddNamed(ISiloBuilder silo, string store) => silo.Services.AddGrainStorage(
        StorageNames.Jobs, (services, _) => new NamedStorage(services.GetRequiredKeyedService<IGrainStorage>(Plain), store));
}
