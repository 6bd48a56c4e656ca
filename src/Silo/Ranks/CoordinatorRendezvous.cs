using Distributed.Grains.Coordination;
using Distributed.Grains.Workers;
using Distributed.Training.Exchange;
using Distributed.Training.Loop;

namespace Distributed.Silo.Ranks;

/// <summary>Meets the generation's other silos at the coordinator grain, from a rank thread.</summary>
internal sealed class CoordinatorRendezvous(ICoordinatorGrain coordinator, RankAssignment assignment, CoordinatorWait wait) : IExchangeRendezvous
{
    /// <exception cref="JobErrorException">The silos do not meet, or the generation was aborted.</exception>
    public ExchangeMesh Meet(ExchangeOffer offer)
    {
        var asked = coordinator.Meet(assignment.Generation, assignment.Silo, offer.Endpoint, offer.Fingerprint);
        var reply = wait.For(asked, assignment.MeetDeadline, $"Start of generation {assignment.Generation}, silo {assignment.Silo}");
        return reply.Error is null ? new ExchangeMesh(reply.Endpoints, reply.Secret) : throw new JobErrorException(reply.Error);
    }
}
