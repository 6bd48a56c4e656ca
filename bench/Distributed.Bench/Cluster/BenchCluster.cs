using System.Security.Cryptography;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Silo.Lifecycle;
using Distributed.Silo.Settings;
using Orleans.Configuration;
using Orleans.Runtime;

namespace Distributed.Bench.Cluster;

/// <summary>Silo processes of this machine that form one cluster, and an Orleans client of it.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private readonly List<BenchSilo> processes = [];
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-bench-jobs-").FullName;
    private readonly CancellationToken cancel;
    private IHost? client;
    private int jobs;

    private BenchCluster(CancellationToken cancel) => this.cancel = cancel;

    /// <summary>Ends every wait on the cluster.</summary>
    public CancellationToken Cancel => cancel;

    public IClusterClient Grains => client!.Services.GetRequiredService<IClusterClient>();

    /// <summary>Processor time that each silo has used so far.</summary>
    public IEnumerable<(string Silo, TimeSpan Time)> ProcessorTimes => processes.Select(p => (p.Name, p.ProcessorTime));

    /// <summary>Where each silo's clients and probes ask.</summary>
    public IReadOnlyList<string> Endpoints => [.. processes.Select(p => p.Ready.Address!)];

    /// <summary>Names and addresses, in the order that ranks are dealt in.</summary>
    public IReadOnlyList<(string Name, SiloAddress Address)> Silos { get; private set; } = [];

    /// <param name="cancel">Ends every wait on the cluster.</param>
    /// <exception cref="JobException">A silo did not start.</exception>
    public static async Task<BenchCluster> Start(int silos, CancellationToken cancel)
    {
        var cluster = new BenchCluster(cancel);
        try
        {
            await cluster.Form(silos);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Trains a job to its end and returns its events.</summary>
    /// <exception cref="JobException">The job was refused or failed.</exception>
    public async Task<IReadOnlyList<JobEvent>> Train(JobSpec spec, int ranks, int silos)
    {
        var id = $"bench-{++jobs}";
        var events = await BenchJob.Train(Grains, id, spec, new RunOptions { Ranks = ranks, Silos = silos }, cancel);
        if (Path.Combine(directory, id) is var left && Directory.Exists(left)) Directory.Delete(left, recursive: true);
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var lost in processes.Select(p => p.Lost).OfType<string>()) await Console.Error.WriteLineAsync($"dtrain-bench: {lost}");
        if (client is not null)
        {
            await client.StopAsync(CancellationToken.None);
            client.Dispose();
        }
        // The first holds the others' membership: it leaves last.
        await Task.WhenAll(processes.Skip(1).Select(p => p.DisposeAsync().AsTask()));
        if (processes.Count > 0) await processes[0].DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    private async Task Form(int silos)
    {
        var token = Convert.ToHexString(RandomNumberGenerator.GetBytes(32));
        processes.Add(await BenchSilo.Start(new LifelineSettings(token, 0, directory, Name(0), null, null, Gateway: true), cancel));
        var first = processes[0].Ready;
        processes.AddRange(await Task.WhenAll(Enumerable.Range(1, silos - 1).Select(i =>
            BenchSilo.Start(new LifelineSettings(token, 0, directory, Name(i), first.Endpoint, null, Gateway: false), cancel))));
        client = await Connect(first.Gateway!.Value, ServeSettings.ClusterOf(token));
        var members = await Grains.GetGrain<IManagementGrain>(0).GetDetailedHosts(onlyActive: true);
        Silos = [.. Enumerable.Range(0, silos).Select(i => (Name(i), members.Single(m => m.SiloName == Name(i)).SiloAddress))];
    }

    private static string Name(int silo) => $"silo-{silo}";

    private async Task<IHost> Connect(int gateway, string clusterId)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(o => o.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton<IHostLifetime, OwnedLifetime>();
        builder.UseOrleansClient(orleans => orleans.UseLocalhostClustering(gateway, serviceId: "dtrain", clusterId: clusterId));
        var host = builder.Build();
        await host.StartAsync(cancel);
        return host;
    }
}
