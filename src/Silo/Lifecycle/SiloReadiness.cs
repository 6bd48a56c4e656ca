using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Distributed.Training.Native;
using Orleans.Runtime;

namespace Distributed.Silo.Lifecycle;

/// <summary>Ready is an active member of its cluster, with native libraries that passed their test, which does not leave.</summary>
internal sealed class SiloReadiness(IClusterMembershipService members, ILocalSiloDetails silo, SiloDrain drain, OwnMemberRow row)
    : IReadiness
{
    public Task<(bool Ready, string Words)> Check() => Task.FromResult(Look());

    private (bool Ready, string Words) Look()
    {
        if (drain.IsLeaving) return (false, $"draining: silo {silo.Name} is leaving and takes no more ranks");
        if (drain.IsDraining)
            return (false,
                $"draining: an operator drained silo {silo.Name}, which takes no more ranks until 'dtrain drain {silo.Name} --undo'");
        if (row.Words is { } lost) return (false, $"not ready: {lost}");
        try
        {
            var native = NativeRuntime.Initialize();
            var status = members.CurrentSnapshot.GetSiloStatus(silo.SiloAddress);
            return status == SiloStatus.Active
                ? (true, $"ready: silo {silo.Name} is an active member; {native.Fingerprint}")
                : (false, $"not ready: the membership has silo {silo.Name} as {status}; see its log");
        }
        catch (JobException broken)
        {
            return (false, $"not ready: {broken.Message.ReplaceLineEndings(" ")}");
        }
    }
}
