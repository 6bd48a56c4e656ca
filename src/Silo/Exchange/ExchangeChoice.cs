using System.Net;
using Distributed.Core.Jobs;
using Distributed.Grains.Exchange;
using Distributed.Training.Exchange;

namespace Distributed.Silo.Exchange;

/// <summary>Picks the way that gradients travel between the silos of a job; changes no bit.</summary>
internal static class ExchangeChoice
{
    /// <param name="rendezvous">Where the silos of the generation meet first, whichever way is chosen.</param>
    /// <param name="warn">Takes lines about callers that the sockets of <c>peer</c> refused.</param>
    public static IExchangeFactory For(JobSpec spec, string jobId, IGrainFactory grains, IExchangeRendezvous rendezvous, Action<string> warn) => spec.Exchange switch
    {
        GradientExchange.Coordinator => new CoordinatorExchangeFactory(rendezvous, grains.GetGrain<ICoordinatorExchange>(jobId), spec.Workers.Overlap),
        _ => new PeerExchangeFactory(rendezvous, IPAddress.Loopback, spec.Workers.Overlap, warn),
    };
}
