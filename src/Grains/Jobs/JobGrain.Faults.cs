using System.Collections.Immutable;
using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Grains.Devices;
using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

internal sealed partial class JobGrain
{
    private string Inputs => string.Join(", ", new[] { Spec.Data.Path, Spec.Model.Weights }.OfType<string>());

    /// <summary>What a silo's fault is held against: who else is there, and who lacks the same file without having been tried.</summary>
    /// <returns>Null: the job stays where it is, whatever failed.</returns>
    private async Task<JobSurroundings?> LookAround(JobError? error)
    {
        if (!State.Requeues || !HasRanks) return null;
        var others = members.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active).ToList();
        var states = await Task.WhenAll(others.Select(m => AskSilo(m, error)));
        return new JobSurroundings(
            [.. others.Zip(states).Where(o => o.Second.TakesRanks).Select(o => o.First.Name).Order(StringComparer.Ordinal)], Inputs, time.GetUtcNow(),
            [.. states.Select(s => s.Fault).OfType<SiloFault>()]);
    }

    /// <summary>A silo that is busy for hours can still say whether it has the file.</summary>
    private async Task<(bool TakesRanks, SiloFault? Fault)> AskSilo(ClusterMember silo, JobError? error)
    {
        if (error?.Code != ErrorCodes.PathMissing || error.Silo is null || error.Silo == silo.Name) return (true, null);
        try
        {
            var answer = await devices.On(silo.SiloAddress).Lacks(Id, store.State.Submission!.SpecJson);
            return (!answer.Draining, answer.Lacks is { } what ? new SiloFault(silo.Name, ErrorCodes.PathMissing, what, Inputs, time.GetUtcNow()) : null);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return (true, null);
        }
    }
}
