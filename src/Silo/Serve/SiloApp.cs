using System.Net.Sockets;
using Distributed.Core;
using Distributed.Grains;
using Distributed.Grains.Benchmarks;
using Distributed.Grains.Devices;
using Distributed.Grains.Exchange;
using Distributed.Grains.Workers;
using Distributed.Silo.Bench.AllReduce;
using Distributed.Silo.Exchange;
using Distributed.Silo.Jobs;
using Distributed.Silo.Ranks;
using Distributed.Silo.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Distributed.Silo.Serve;

/// <summary>One running silo with its gRPC door.</summary>
internal sealed class SiloApp : IAsyncDisposable
{
    private const int StartAttempts = 5;
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(3);

    private readonly WebApplication app;

    private SiloApp(WebApplication app) => this.app = app;

    /// <summary>Where clients find the door, such as <c>http://127.0.0.1:43211</c>.</summary>
    public string Address => app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Where further silos join, such as <c>127.0.0.1:40123</c>.</summary>
    public string Endpoint => app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.Endpoint.ToString();

    /// <summary>Port of the door for Orleans clients, on loopback; null when there is none.</summary>
    public int? Gateway => app.Services.GetRequiredService<ILocalSiloDetails>().GatewayAddress?.Endpoint.Port is > 0 and var port ? port : null;

    /// <param name="followTerminal">SIGINT and SIGTERM end the silo; otherwise only its owner does.</param>
    /// <exception cref="JobException">Code <c>port-in-use</c>.</exception>
    public static async Task<SiloApp> Start(ServeSettings settings, bool followTerminal)
    {
        for (var attempt = 1; ; attempt++)
        {
            var app = Build(settings, SiloPorts.Choose(settings.Network), followTerminal);
            try
            {
                await app.StartAsync();
                return new SiloApp(app);
            }
            catch (IOException e) when (e.InnerException is AddressInUseException)
            {
                await app.DisposeAsync();
                throw new JobException(ServeErrors.PortInUse, $"Port {settings.Port} on {settings.Network.Address} is in use: end the program that holds it or choose another port (0 takes any free one).", e);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < StartAttempts)
            {
                // Someone took one of the silo's own ports between looking and binding: look again.
                await app.DisposeAsync();
            }
        }
    }

    /// <summary>The way to the grains for code of this process.</summary>
    public IGrainFactory Grains => app.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Completes when the silo was told to leave and has left.</summary>
    public Task Ended() => app.WaitForShutdownAsync();

    /// <summary>Ends running jobs at once and leaves.</summary>
    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private static WebApplication Build(ServeSettings settings, SiloPorts ports, bool followTerminal)
    {
        // The empty builder reads no configuration: nothing in the environment can open another door.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(o => o.SingleLine = true);
        // At every start it recommends server GC, which would take memory and cores from the ranks.
        builder.Logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = LongestStop);
        if (!followTerminal) builder.Services.AddSingleton<IHostLifetime, OwnedLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(settings.Network.Address, settings.Port, listen => DoorCertificate.Guard(listen, kestrel.ApplicationServices.GetService<DoorCertificate>()));
        });
        // Before Orleans: a job may come as soon as the silo is a member.
        builder.Services.AddNetwork(settings.Network);
        builder.UseOrleans(silo => ConfigureSilo(silo, settings, ports));
        ConfigureServices(builder.Services, settings);
        var app = builder.Build();
        app.UseRouting();
        app.MapGrpcService<JobsService>();
        return app;
    }

    private static void ConfigureServices(IServiceCollection services, ServeSettings settings)
    {
        services.AddRoutingCore();
        services.AddSingleton(settings).AddSingleton(TimeProvider.System);
        services.AddSingleton<JobPaths>().AddSingleton<RankHost>().AddSingleton<IRankHost>(s => s.GetRequiredService<RankHost>());
        services.AddSingleton<IChunkReducers, ChunkReducers>();
        services.AddSingleton<IAllReduceHost, AllReduceHost>();
        services.AddHostedService<RankHostShutdown>();
        services.AddSingleton<TokenInterceptor>().AddSingleton<ErrorInterceptor>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = JobsService.LargestRequestBytes;
            grpc.Interceptors.Add<ErrorInterceptor>();
            grpc.Interceptors.Add<TokenInterceptor>();
        });
    }

    private static void ConfigureSilo(ISiloBuilder silo, ServeSettings settings, SiloPorts ports)
    {
        // Gateway port 0: grains are reached from inside the silo only.
        silo.UseLocalhostClustering(ports.Silo, settings.Gateway ? ports.Gateway : 0, settings.Primary, serviceId: "dtrain", clusterId: settings.ClusterId);
        SiloPorts.Bind(silo, settings.Network);
        silo.Configure<SiloOptions>(o => o.SiloName = settings.SiloName);
        silo.Configure<SiloDevicesOptions>(o => o.CpuSlots = settings.Slots);
        silo.AddMemoryGrainStorage(TrainingSiloBuilderExtensions.JobStorage);
        silo.AddTraining();
    }
}
