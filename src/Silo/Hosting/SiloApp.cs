using System.Net.Sockets;
using Distributed.Core.Jobs;
using Distributed.Grains;
using Distributed.Grains.Contracts;
using Distributed.Grains.Leases;
using Distributed.Grains.Jobs;
using Distributed.Grains.Queue;
using Distributed.Silo.Cluster;
using Distributed.Silo.Cluster.Clocks;
using Distributed.Silo.Cluster.Roots;
using Distributed.Silo.Exchange;
using Distributed.Silo.Failures;
using Distributed.Silo.Folders;
using Distributed.Silo.Gateway;
using Distributed.Silo.Lifecycle;
using Distributed.Silo.Ranks;
using Distributed.Silo.Security;
using Distributed.Silo.Settings;
using Distributed.Training.Native;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Statistics;

namespace Distributed.Silo.Hosting;

/// <summary>One running silo with its gRPC endpoint.</summary>
internal sealed class SiloApp : IAsyncDisposable
{
    private const int StartAttempts = 5;
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(3);

    /// <summary>A silo of a cluster hands its grains over in peace.</summary>
    private static readonly TimeSpan LongestLeave = TimeSpan.FromSeconds(15);

    /// <summary>Orleans would try for minutes to write down that it leaves.</summary>
    private static readonly TimeSpan LongestFarewell = LongestLeave + TimeSpan.FromSeconds(5);

    private readonly WebApplication app;
    private readonly ClusterConnections connections;
    private readonly RootOwnership? root;

    private SiloApp(WebApplication app, ClusterConnections connections, RootOwnership? root) =>
        (this.app, this.connections, this.root) = (app, connections, root);

    /// <summary>Where clients find the endpoint, such as <c>http://127.0.0.1:43211</c>.</summary>
    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Where further silos join, such as <c>127.0.0.1:40123</c>.</summary>
    public string Endpoint => app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.Endpoint.ToString();

    /// <summary>Port of the endpoint for Orleans clients, on loopback; null when there is none.</summary>
    public int? Gateway =>
        app.Services.GetRequiredService<ILocalSiloDetails>().GatewayAddress?.Endpoint.Port is > 0 and var port ? port : null;

    /// <param name="leave">Ends the wait for a silo of the same name.</param>
    /// <param name="more">Services that the silo has besides its own.</param>
    /// <exception cref="JobException">Code <c>port-in-use</c>; in a cluster also the codes of its store and members.</exception>
    public static async Task<SiloApp> Start(
        ServeSettings settings, Action<IServiceCollection>? more = null, CancellationToken leave = default)
    {
        var connections = await ClusterConnections.Open(settings.Cluster, settings.JobsRoot);
        try
        {
            return await Start(settings, connections, more, leave);
        }
        catch
        {
            await connections.DisposeAsync();
            throw;
        }
    }

    private static async Task<SiloApp> Start(
        ServeSettings settings, ClusterConnections connections, Action<IServiceCollection>? more, CancellationToken leave)
    {
        for (var attempt = 1; ; attempt++)
        {
            var ports = SiloPorts.Choose(settings.Network);
            var root = settings.Cluster is null ? null : await ClusterRoot.Claim(settings, connections, ports.Silo, leave);
            WebApplication? app = null;
            var started = false;
            try
            {
                app = Build(settings, connections, root, ports, more, leave);
                await app.StartAsync(CancellationToken.None);
                started = true;
                return new SiloApp(app, connections, root);
            }
            catch (IOException e) when (e.InnerException is AddressInUseException)
            {
                await app!.DisposeAsync();
                throw new JobException(
                    ServeErrors.PortInUse,
                    $"Port {settings.Port} on {settings.Network.Address} is in use: end the program that holds it or choose another "
                    + "port (0 takes any free one).", e);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < StartAttempts)
            {
                // Someone took one of the silo's own ports between looking and binding: look again.
                await app!.DisposeAsync();
            }
            catch (Orleans.Runtime.MembershipService.OrleansClusterConnectivityCheckFailedException e)
            {
                await app!.DisposeAsync();
                throw new JobException(
                    ServeErrors.ClusterUnreachable,
                    $"Silos of the cluster do not answer this one: check addresses, ports and certificates between silos. {e.Message}", e);
            }
            catch (JobException) when (app is not null)
            {
                // It may stand in the table of members already.
                await app.StopAsync(CancellationToken.None);
                await app.DisposeAsync();
                throw;
            }
            finally
            {
                if (!started && root is not null) await root.DisposeAsync();
            }
        }
    }

    /// <summary>The way to the grains for code of this process.</summary>
    public IGrainFactory Grains => app.Services.GetRequiredService<IGrainFactory>();

    /// <summary>A service of the silo, for code of this process.</summary>
    public T Service<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>What the silo is made of.</summary>
    public IServiceProvider Services => app.Services;

    /// <summary>Hands its jobs over; see <see cref="Departure"/>.</summary>
    public Task Drain(TimeSpan longest, CancellationToken now) => app.Services.GetRequiredService<Departure>().Drain(longest, now);

    /// <summary>Ends running jobs at once and leaves; without a word to the others when the store does not answer.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await app.StopAsync().WaitAsync(LongestFarewell, TimeProvider.System);
        }
        // Orleans gives up by cancelling itself, or never.
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync(
                "dtrain-silo: the table of members did not answer while this silo left: it ends now, and the others will find it dead.");
            return;
        }

        await app.DisposeAsync();
        await connections.DisposeAsync();
        if (root is not null) await root.DisposeAsync();
    }

    private static WebApplication Build(
        ServeSettings settings, ClusterConnections connections, RootOwnership? root, SiloPorts ports, Action<IServiceCollection>? more,
        CancellationToken leave)
    {
        // The empty builder reads no configuration: nothing in the environment can open another endpoint.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(o => o.SingleLine = true);
        // At every start it recommends server GC, which would take memory and cores from the ranks.
        builder.Logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
        // Its first look compares with the start of the machine, and warns of hours of deadlock.
        builder.Logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = settings.DataRoot is null ? LongestStop : LongestLeave);
        builder.Services.AddSingleton<IHostLifetime, OwnedLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            GatewayEndpoint.Limit(kestrel.Limits);
            kestrel.Listen(settings.Network.Address, settings.Port, listen =>
            {
                GatewayEndpoint.Limit(listen);
                GatewayCertificate.Guard(listen, kestrel.ApplicationServices.GetService<GatewayCertificate>());
            });
        });
        // Before Orleans: a job may come as soon as the silo is a member.
        builder.Services.AddNetwork(settings.Network);
        builder.UseOrleans(silo => ConfigureSilo(silo, settings, connections, ports, leave));
        ConfigureServices(builder.Services, settings);
        more?.Invoke(builder.Services);
        if (root is not null)
            builder.Services.AddSingleton(root).AddSingleton<ILifecycleParticipant<ISiloLifecycle>, RootGuard>()
                .AddHostedService<StarvedSilos>();
        var app = builder.Build();
        app.MapGateway();
        return app;
    }

    private static void ConfigureServices(IServiceCollection services, ServeSettings settings)
    {
        services.AddGateway();
        services.AddSingleton(settings).AddSingleton(TimeProvider.System);
        services.AddSingleton<JobPaths>().AddSingleton<SiloMemory>().AddSingleton<RankHost>()
            .AddSingleton<IRankHost>(s => s.GetRequiredService<RankHost>()).AddSingleton<IRankJobs>(s => s.GetRequiredService<RankHost>());
        services.AddSingleton<IChunkReducers, ChunkReducers>();
        // A client's own silo needs none: the client writes the events down itself.
        if (settings.DataRoot is not null)
            services.AddSingleton<FileJournals>().AddSingleton<IJobJournals>(s => s.GetRequiredService<FileJournals>())
                .AddHostedService<LeftJobs>();
        if (settings.DataRoot is not null)
            services.AddSingleton<IFatalErrorHandler, FatalErrors>().AddHostedService<GivenUpWatch>().AddHostedService<ClockCheck>();
        services.AddSingleton<OwnMemberRow>().AddSingleton<Departure>().AddHostedService<RankHostShutdown>()
            .AddHostedService<DrainedSilo>();
    }

    private static void ConfigureSilo(
        ISiloBuilder silo, ServeSettings settings, ClusterConnections connections, SiloPorts ports, CancellationToken leave)
    {
        if (settings.Cluster is { } cluster) ClusterProviders.Configure(silo, cluster, connections, ports.Silo, leave);
        else ConfigureClient(silo, settings, ports);
        SiloPorts.Bind(silo, settings.Network);
        Rest(silo.Services);
        silo.Configure<SiloOptions>(o => o.SiloName = settings.SiloName);
        silo.Configure<SiloDevicesOptions>(o => (o.CpuSlots, o.Fingerprint) = (settings.Slots, NativeRuntime.Initialize().Fingerprint));
        silo.Services.AddOptions<SiloDevicesOptions>().Configure<SiloMemory>((o, memory) => o.Memory = memory.Limit);
        silo.Configure<QueueOptions>(o => o.Preempts = settings.Preempts);
        silo.Configure<JobGrainOptions>(o => o.StopPatience = settings.StopPatience);
        silo.AddTraining();
    }

    /// <summary>What Orleans would do many times a second, whether or not anything happens.</summary>
    private static void Rest(IServiceCollection services)
    {
        services.AddSingleton<IEnvironmentStatisticsProvider, ProcessStatistics>();
        foreach (var area in (string[])[TimeProviderNames.Membership, TimeProviderNames.SystemTimers, TimeProviderNames.Messaging])
            services.AddKeyedSingleton<TimeProvider>(area, FrugalClock.Shared);
    }

    private static void ConfigureClient(ISiloBuilder silo, ServeSettings settings, SiloPorts ports)
    {
        // Gateway port 0: grains are reached from inside the silo only.
        silo.UseLocalhostClustering(
            ports.Silo, settings.Gateway ? ports.Gateway : 0, settings.Primary, serviceId: "dtrain", clusterId: settings.ClusterId);
        silo.AddMemoryGrainStorage(StorageNames.Jobs);
    }
}
