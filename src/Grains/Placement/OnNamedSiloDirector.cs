using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Distributed.Grains.Placement;

internal sealed class OnNamedSiloDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString()!;
        var named = SiloAddress.FromParsableString(key.Split('/')[0]);
        foreach (var silo in context.GetCompatibleSilos(target))
            if (silo.Equals(named)) return Task.FromResult(silo);
        throw new SiloUnavailableException(
            $"{target.GrainIdentity}: silo {named} has left the cluster; the rank needs a place in a new generation.");
    }
}
