using Distributed.Core.Events;
using Distributed.Grains.Contracts;
using Distributed.Training.Exchange;

namespace Distributed.Silo.Exchange;

/// <summary>Joins a silo to the exchange at the coordinator grain; needs no port of its own.</summary>
/// <param name="rendezvous">Where the silos see first that they are alike.</param>
/// <param name="cores">For the silo; null: all that the machine has.</param>
internal sealed class CoordinatorExchangeFactory(
    IExchangeRendezvous rendezvous, ICoordinatorExchange coordinator, bool overlap, CoordinatorWait wait, int? cores = null)
    : IExchangeFactory
{
    private static readonly TimeSpan LongestJoin = TimeSpan.FromSeconds(50);

    public IGradientExchange Open(ExchangeJob job)
    {
        _ = rendezvous.Meet(new ExchangeOffer("", job.Silos.Fingerprint));
        var buffers = new ExchangeBuffers(job);
        // Messages take a core too.
        var ranksPack = job.Silos.RanksHere > 1 && job.Silos.RanksHere < (cores ?? Environment.ProcessorCount);
        if (Join(buffers) is not { } refusal) return new CoordinatorExchange(job, buffers, coordinator, overlap, ranksPack);
        buffers.Dispose();
        throw new JobErrorException(refusal);
    }

    private JobError? Join(ExchangeBuffers buffers)
    {
        var silos = buffers.Silos;
        var silo = silos.Names[silos.Index];
        var layout = buffers.Layout();
        var asked = coordinator.Join(silos.Generation, silo, new ExchangeLayout(
            layout.Elements, [.. layout.SiloRuns.Select(r => r.End)], [.. layout.Parameters.Select(p => p.Offset)],
            [.. layout.Parameters.Select(p => p.Count)]));
        return wait.For(asked, LongestJoin, $"Start of generation {silos.Generation}, silo {silo}, exchange", silos.Names[0]);
    }
}
