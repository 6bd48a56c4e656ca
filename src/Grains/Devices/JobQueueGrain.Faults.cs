namespace Distributed.Grains.Devices;

// Silos that are passed over for a while, as jobs say that failed there.
internal sealed partial class JobQueueGrain
{
    private readonly Dictionary<string, SiloFault> faults = [];

    private void Learn(IEnumerable<SiloFault> said)
    {
        foreach (var fault in said)
            if (!faults.TryGetValue(fault.Silo, out var known) || known.Since < fault.Since) faults[fault.Silo] = fault;
    }

    private string? FaultOf(string silo)
    {
        if (!faults.TryGetValue(silo, out var fault)) return null;
        if (!fault.IsOver(time.GetUtcNow())) return fault.Words;
        faults.Remove(silo);
        return null;
    }
}
