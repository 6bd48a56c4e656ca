using Distributed.Core;
using Distributed.Silo.Serve;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster;

/// <summary>Refuses to be the second silo of a name: jobs name silos, and votes are counted by name.</summary>
internal sealed class SiloNameGuard(IClusterMembershipService members, ILocalSiloDetails self, TimeProvider time) : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Every active silo has answered this one by now; a namesake can only be about to leave.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(SiloNameGuard), ServiceLifecycleStage.BecomeActive, Check);

    private async Task Check(CancellationToken cancelled)
    {
        for (var begin = time.GetTimestamp(); Namesake() is { } other; await Task.Delay(LookAgain, time, cancelled))
        {
            if (time.GetElapsedTime(begin) < Patience) continue;
            throw new JobException(
                ServeErrors.SiloNameTaken, $"DTRAIN_SILO_NAME: the cluster already has a silo '{self.Name}' at {other.SiloAddress.Endpoint}; give each silo a name of its own.");
        }
    }

    private ClusterMember? Namesake() => members.CurrentSnapshot.Members.Values.FirstOrDefault(
        m => m.Name == self.Name && !m.SiloAddress.Equals(self.SiloAddress) && m.Status == SiloStatus.Active && m.SiloAddress.Generation <= self.SiloAddress.Generation);
}
