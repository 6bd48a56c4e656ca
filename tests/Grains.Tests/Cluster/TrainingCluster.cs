using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Queue;
using Distributed.Silo.Exchange;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Runtime.Hosting;
using Orleans.Storage;
using Orleans.TestingHost;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Silos in this process, with fake ranks.</summary>
internal sealed class TrainingCluster : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly InProcessTestCluster cluster;

    private TrainingCluster(InProcessTestCluster cluster, FakeScripts scripts) =>
        (this.cluster, Scripts, SiloNames) = (cluster, scripts, [.. cluster.Silos.Select(s => s.Name).Order(StringComparer.Ordinal)]);

    public FakeScripts Scripts { get; }

    public IGrainFactory Grains => cluster.Client;

    public IReadOnlyList<string> SiloNames { get; }

    /// <summary>Grain calls from inside the first silo, as its rank threads make them.</summary>
    public IGrainFactory GrainsInSilo => GrainsIn(0);

    /// <summary>What the silos write stored state with.</summary>
    public IGrainStorageSerializer StorageSerializer =>
        cluster.GetSiloServiceProvider(cluster.Silos[0].SiloAddress).GetRequiredService<IGrainStorageSerializer>();

    public static async Task<TrainingCluster> Start(
        short silos, TimeSpan? stepDeadline = null, IGrainStorage? storage = null, IJobJournals? journals = null,
        TimeSpan? longestPoll = null, TimeSpan? stopPatience = null, IUserQuotas? quotas = null, bool preempts = false)
    {
        var scripts = new FakeScripts();
        var builder = new InProcessTestClusterBuilder(silos);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.AddTraining();
            if (storage is null) silo.AddMemoryGrainStorage(StorageNames.Jobs);
            else silo.Services.AddGrainStorage(StorageNames.Jobs, (_, _) => storage);
            silo.Services.AddSingleton(scripts).AddSingleton<IRankHost, FakeRankHost>().AddSingleton<IChunkReducers, ChunkReducers>();
            if (journals is not null) silo.Services.AddSingleton(journals);
            if (quotas is not null)
                silo.Services.AddSingleton(quotas).Configure<JobGrainOptions>(o => o.WeighPeriod = TimeSpan.FromMilliseconds(100));
            silo.Services.Configure<QueueOptions>(o => (o.Settled, o.Preempts) = (TimeSpan.FromSeconds(1), preempts));
            silo.Services.Configure<JobGrainOptions>(o =>
                (o.StepDeadline, o.LongestPoll, o.StopPatience) = (stepDeadline ?? o.StepDeadline, longestPoll ?? o.LongestPoll,
                    stopPatience ?? o.StopPatience));
        });
        builder.ConfigureSiloHost((_, host) => host.Logging.SetMinimumLevel(LogLevel.None));
        builder.ConfigureClientHost(host => host.Logging.SetMinimumLevel(LogLevel.None));
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return new TrainingCluster(cluster, scripts);
    }

    /// <summary>Grain calls from inside a silo.</summary>
    public IGrainFactory GrainsIn(int silo) =>
        cluster.GetSiloServiceProvider(cluster.Silos[silo].SiloAddress).GetRequiredService<IGrainFactory>();

    /// <summary>A service of a silo.</summary>
    public T ServiceIn<T>(int silo)
        where T : notnull => cluster.GetSiloServiceProvider(cluster.Silos[silo].SiloAddress).GetRequiredService<T>();

    /// <summary>A silo's name in events.</summary>
    public string NameOf(int silo) => cluster.Silos[silo].Name;

    /// <summary>A silo as jobs name it.</summary>
    public SiloAddress AddressOf(int silo) => cluster.Silos[silo].SiloAddress;

    /// <summary>Ends the second silo without a farewell.</summary>
    public Task KillSecond() => cluster.KillSiloAsync(cluster.Silos[1]);

    /// <summary>The second silo leaves, as on SIGTERM.</summary>
    public Task StopSecond() => cluster.StopSiloAsync(cluster.Silos[1]);

    public IJobGrain Job(string id) => Grains.GetGrain<IJobGrain>(id);

    /// <summary>All events of a job up to its ending.</summary>
    public async Task<IReadOnlyList<string>> Watch(string id)
    {
        var events = new List<string>();
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var page = await Job(id).ReadEvents(events.Count, 3, TimeSpan.FromSeconds(5)).WaitAsync(patience.Token);
            foreach (var e in page!.Events)
            {
                Assert.Equal(events.Count, e.Number);
                events.Add(e.Json);
            }

            if (page.Final) return events;
        }
    }

    /// <summary>Waits until an event holds a text.</summary>
    public async Task WaitFor(string id, string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        for (long from = 0; ;)
        {
            var page = await Job(id).ReadEvents(from, 100, TimeSpan.FromSeconds(5)).WaitAsync(patience.Token);
            if (page!.Events.Any(e => e.Json.Contains(text, StringComparison.Ordinal))) return;
            Assert.False(page.Final, $"Job {id} ended without an event '{text}'.");
            from += page.Events.Length;
        }
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();
}
