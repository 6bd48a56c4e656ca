using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Exchange;
using Distributed.Training.Exchange;
using Distributed.Training.Loop;
using Orleans.Runtime;

namespace Distributed.Silo.Exchange;

/// <summary>Joins a silo to the exchange at the coordinator grain; needs no port of its own.</summary>
/// <param name="rendezvous">Where the silos see first that they are alike.</param>
internal sealed class CoordinatorExchangeFactory(IExchangeRendezvous rendezvous, ICoordinatorExchange coordinator, bool overlap) : IExchangeFactory
{
    private static readonly TimeSpan LongestJoin = TimeSpan.FromSeconds(60);

    public IGradientExchange Open(ExchangeBuffers buffers)
    {
        _ = rendezvous.Meet(new ExchangeOffer("", buffers.Silos.Fingerprint));
        if (Join(buffers) is { } refusal) throw new JobErrorException(refusal);
        return new CoordinatorExchange(buffers, coordinator, overlap);
    }

    private JobError? Join(ExchangeBuffers buffers)
    {
        var silos = buffers.Silos;
        var silo = silos.Names[silos.Index];
        var layout = buffers.Layout();
        try
        {
            var asked = coordinator.Join(silos.Generation, silo, new ExchangeLayout(
                layout.Elements, [.. layout.SiloRuns.Select(r => r.End)], [.. layout.Parameters.Select(p => p.Offset)], [.. layout.Parameters.Select(p => p.Count)]));
            if (asked.Wait(LongestJoin)) return asked.Result;
            throw new JobException(ErrorCodes.Deadline, $"Silo {silo}: no answer from the coordinator's exchange for {LongestJoin.TotalSeconds:0} s; look at the silo that holds the job, then resume from the last checkpoint.");
        }
        catch (AggregateException e) when (e.InnerException is OrleansException or TimeoutException)
        {
            throw new JobException(ErrorCodes.Deadline, $"Silo {silo}: the coordinator's exchange cannot be reached ({e.InnerException.Message}); resume from the last checkpoint.", e);
        }
    }
}
