using Distributed.Grains.Contracts;
using Distributed.Silo.Cluster;
using Distributed.Silo.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Storage;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>The providers of one silo, put together as the product does it.</summary>
internal sealed class ProviderHost : IAsyncDisposable
{
    private readonly IHost host;
    private readonly ClusterConnections connections;

    private ProviderHost(IHost host, ClusterConnections connections) => (this.host, this.connections) = (host, connections);

    public IGrainStorage Storage => host.Services.GetRequiredKeyedService<IGrainStorage>(StorageNames.Jobs);

    /// <summary>Writes records as they lie in a store.</summary>
    public IGrainStorageSerializer Serializer => host.Services.GetRequiredService<IGrainStorageSerializer>();

    public IMembershipTable Members => host.Services.GetRequiredService<IMembershipTable>();

    public static async Task<ProviderHost> BuildAsync(ClusterSettings cluster, string jobsRoot)
    {
        var connections = await ClusterConnections.Open(cluster, jobsRoot);
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.UseOrleans(silo =>
        {
            ClusterProviders.Configure(silo, cluster, connections, Testing.Servers.FreePort.Take());
            silo.StoreIdsPlainly().Configure<SiloOptions>(o => o.SiloName = cluster.SiloName);
        });
        builder.Services.AddSingleton(TimeProvider.System);
        return new ProviderHost(builder.Build(), connections);
    }

    /// <summary>Starts the silo, as storage needs it.</summary>
    public Task StartAsync() => host.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        await ((IAsyncDisposable)host).DisposeAsync();
        await connections.DisposeAsync();
    }
}
