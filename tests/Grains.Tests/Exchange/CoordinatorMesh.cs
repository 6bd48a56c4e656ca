using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Grains.Tests.Cluster;
using Distributed.Silo.Exchange;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Grains.Tests.Exchange;

/// <summary>The silos of a rig, each on a silo of the cluster, exchanging through one coordinator.</summary>
internal sealed class CoordinatorMesh : IDisposable
{
    private static readonly Generation Generation = new(3);

    private CoordinatorMesh(IReadOnlyList<IGradientExchange> exchanges) => Exchanges = exchanges;

    public IReadOnlyList<IGradientExchange> Exchanges { get; }

    public static async Task<CoordinatorMesh> Open(TrainingCluster cluster, ExchangeRig rig, bool overlap = true, int? cores = null)
    {
        await OpenGeneration(cluster, "rig", rig.Silos, Generation.Value);
        using var meeting = new LocalRendezvous(rig.Silos);
        var opened = await Task.WhenAll(rig.Jobs.Select((job, silo) => Task.Run(() =>
            Factory(cluster, "rig", silo, meeting.Place(silo), overlap, cores).Open(job))));
        return new CoordinatorMesh(opened);
    }

    public static async Task OpenGeneration(TrainingCluster cluster, string jobId, int silos, int generation)
    {
        GenerationSetup setup = new(
            new(generation), JobSpecJson.Write(Specs.Job()), [.. Enumerable.Range(0, silos).Select(i => $"silo-{i}")],
            TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(5));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await cluster.GrainsIn(0).GetGrain<ICoordinatorGrain>(jobId).Open(setup);
                return;
            }
            catch (TimeoutException) when (attempt < 20)
            {
                // A busy machine: jobs ask again, too.
            }
        }
    }

    public static CoordinatorExchangeFactory Factory(
        TrainingCluster cluster, string jobId, int silo, IExchangeRendezvous rendezvous, bool overlap, int? cores = null) =>
        new(
            rendezvous, cluster.GrainsIn(silo % cluster.SiloNames.Count).GetGrain<ICoordinatorExchange>(jobId), overlap,
            new CoordinatorWait(), cores);

    /// <summary>Runs something for all silos at once, each on a thread of its own.</summary>
    public void Everywhere(Action<int> action)
    {
        var threads = Exchanges.Select(
            (_, silo) => Task.Factory.StartNew(() => action(silo), default, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        Task.WaitAll([.. threads]);
    }

    public void Dispose()
    {
        foreach (var exchange in Exchanges) exchange.Dispose();
    }
}
