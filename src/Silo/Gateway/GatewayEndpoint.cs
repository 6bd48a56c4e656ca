using Distributed.Silo.Lifecycle;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Distributed.Silo.Gateway;

/// <summary>What clients, probes and tools reach: the jobs, and in addition health (open to all) and reflection (to users).</summary>
internal static class GatewayEndpoint
{
    private const string Ready = "ready";
    private const string Live = "live";

    /// <summary>Streams on one connection; a client that needs more opens another.</summary>
    private const int MostStreams = 4096;

    /// <summary>Connections in all.</summary>
    private const int MostConnections = 4096;

    /// <summary>Connections of one address, which may be that of a gateway with many users behind it.</summary>
    private const int MostConnectionsOfAnAddress = 1024;

    private static readonly TimeSpan HealthPeriod = TimeSpan.FromSeconds(5);

    public static void AddGateway(this IServiceCollection services)
    {
        services.AddRoutingCore();
        // A silo that leaves says so itself, not as an error every few seconds.
        services.AddLogging(logging => logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None)
            // What a caller can bring about, these write a stack trace for, call by call; what is the service's own to tell,
            // ErrorInterceptor logs.
            .AddFilter("Grpc", LogLevel.None).AddFilter("Microsoft.AspNetCore", LogLevel.Critical));
        services.AddSingleton<UserRegistry>().AddSingleton<Grains.Contracts.IUserQuotas>(s => s.GetRequiredService<UserRegistry>());
        services.AddSingleton<SiloReadiness>().AddSingleton<IReadiness>(s => s.GetRequiredService<SiloReadiness>());
        services.AddSingleton<CallGate>().AddSingleton<CallLog>().AddSingleton<ErrorInterceptor>().AddSingleton<EventRelay>()
            .AddSingleton<SiloDrains>();
        services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = JobsService.LargestRequestBytes;
            grpc.Interceptors.Add<ErrorInterceptor>();
        });
        services.AddGrpcReflection();
        services.AddGrpcHealthChecks(health =>
        {
            health.Services.Map("", check => check.Name == Ready);
            health.Services.Map(Protocol.V1.Jobs.Descriptor.FullName, check => check.Name == Ready);
            health.Services.Map(Live, check => check.Name == Live);
        }).AddCheck<ReadinessCheck>(Ready).AddCheck(Live, () => HealthCheckResult.Healthy());
        services.Configure<HealthCheckPublisherOptions>(o => (o.Delay, o.Period) = (TimeSpan.Zero, HealthPeriod));
    }

    public static void Limit(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = MostConnections;
        limits.Http2.MaxStreamsPerConnection = MostStreams;
        limits.MaxRequestBodySize = JobsService.LargestRequestBytes * 2;
        // A client that vanished gives its streams back.
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(60);
    }

    /// <summary>The first stage of a connection, before TLS.</summary>
    public static void Limit(ListenOptions listen)
    {
        var addresses = new ConnectionLimit(MostConnectionsOfAnAddress);
        listen.Use(next => connection => addresses.Pass(connection, next));
    }

    /// <exception cref="Core.Jobs.JobException">The file of users is wrong.</exception>
    public static void MapGateway(this WebApplication app)
    {
        // Now rather than at the first call: a silo without users does not start.
        app.Services.GetRequiredService<UserRegistry>();
        app.UseRouting();
        var gate = app.Services.GetRequiredService<CallGate>();
        app.Use(next => context => gate.Check(context, next));
        app.MapGrpcService<JobsService>();
        app.MapGrpcReflectionService();
        app.MapGrpcHealthChecksService();
        // The endpoint opens when the silo has joined: a caller that gets an answer talks to a silo that lives and has started.
        app.MapGet("/healthz/live", context => Answer(context, true, "live"));
        app.MapGet("/healthz/startup", context => Answer(context, true, "started"));
        app.MapGet("/healthz/ready", async context =>
        {
            var (ready, words) = await context.RequestServices.GetRequiredService<IReadiness>().Check();
            await Answer(context, ready, words);
        });
    }

    private static Task Answer(HttpContext context, bool well, string words)
    {
        context.Response.StatusCode = well ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(words + "\n");
    }

    private sealed class ReadinessCheck(IReadiness readiness) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var (ready, words) = await readiness.Check();
            return ready ? HealthCheckResult.Healthy(words) : HealthCheckResult.Unhealthy(words);
        }
    }
}
