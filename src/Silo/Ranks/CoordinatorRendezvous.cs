using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;
using Distributed.Training.Exchange;

namespace Distributed.Silo.Ranks;

/// <summary>Meets the generation's other silos at the coordinator grain, from a rank thread.</summary>
/// <param name="silo">This one.</param>
/// <param name="seat">The silo of rank 0, which holds the coordinator.</param>
/// <param name="deadline">The coordinator's own.</param>
internal sealed class CoordinatorRendezvous(
    ICoordinatorGrain coordinator, Generation generation, string silo, string seat, TimeSpan deadline, CoordinatorWait wait)
    : IExchangeRendezvous
{
    /// <exception cref="JobErrorException">The silos do not meet, or the generation was aborted.</exception>
    public ExchangeMesh Meet(ExchangeOffer offer)
    {
        var asked = coordinator.Meet(generation, silo, offer.Endpoint, offer.Fingerprint);
        var reply = wait.For(asked, deadline, $"Start of generation {generation}, silo {silo}", seat);
        return reply.Error is null ? new ExchangeMesh(reply.Endpoints, reply.Secret) : throw new JobErrorException(reply.Error);
    }
}
