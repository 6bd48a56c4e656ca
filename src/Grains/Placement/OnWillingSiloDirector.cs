using Orleans.Runtime;
using Orleans.Runtime.Placement;

namespace Distributed.Grains.Placement;

internal sealed class OnWillingSiloDirector(SiloDrain drain) : IPlacementDirector
{
    private int turn;

    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var compatible = context.GetCompatibleSilos(target);
        // Who moves a grain may know of a place.
        if (IPlacementDirector.GetPlacementHint(target.RequestContextData, compatible) is { } hint) return Task.FromResult(hint);
        var here = context.LocalSilo;
        if (!drain.IsDraining && compatible.Contains(here)) return Task.FromResult(here);
        // Whether the others drain is not known here; one after the other is tried.
        var others = compatible.Where(silo => !silo.Equals(here)).ToList();
        return Task.FromResult(others.Count > 0 ? others[(int)((uint)Interlocked.Increment(ref turn) % (uint)others.Count)] : here);
    }
}
