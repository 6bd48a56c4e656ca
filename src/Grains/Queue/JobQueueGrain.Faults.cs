using Distributed.Grains.Contracts;

namespace Distributed.Grains.Queue;

// Silos that are passed over for a while, as jobs say that failed there.
internal sealed partial class JobQueueGrain
{
    /// <summary>By silo and the files that the fault is about: one that may hit any job stays beside one that hits few.</summary>
    private readonly Dictionary<(string Silo, string? Inputs), SiloFault> faults = [];

    private void Learn(IEnumerable<SiloFault> said)
    {
        foreach (var fault in said)
            if (!faults.TryGetValue((fault.Silo, fault.Inputs), out var known) || known.Since < fault.Since)
                faults[(fault.Silo, fault.Inputs)] = fault;
    }

    private string? FaultOf(string silo)
    {
        var now = time.GetUtcNow();
        foreach (var over in faults.Values.Where(f => f.IsOver(now)).ToList()) faults.Remove((over.Silo, over.Inputs));
        return faults.Values.Where(f => f.Silo == silo).OrderBy(f => f.Inputs is null ? 0 : 1).ThenByDescending(f => f.Since)
            .FirstOrDefault()?.Words;
    }
}
