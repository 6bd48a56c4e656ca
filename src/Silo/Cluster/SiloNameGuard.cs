using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster;

/// <summary>Refuses to be the second silo of a name: jobs name silos, and votes are counted by name.</summary>
internal sealed partial class SiloNameGuard(
    ClusterSettings cluster, IClusterMembershipService members, ILocalSiloDetails self, TimeProvider time, ILogger<SiloNameGuard> logger,
    CancellationToken leave)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Every active silo has answered this one by now; a namesake can only be about to leave.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    /// <summary>For a drain of its usual length and the end of its silo; a startup probe as in the manifests waits longer.</summary>
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(110);

    /// <summary>
    /// A killed silo of this machine that is started again at once: the others know of its death by then, however busy the cores are.
    /// </summary>
    private static readonly TimeSpan LongestDeath = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// There is one pod of a name, so that the other's was deleted, and nothing waits for its silo's end when that was done by force.
    /// </summary>
    private TimeSpan Patience => IsPod ? LongestFarewell : cluster.Clustering == Clustering.Files ? LongestDeath : Farewell;

    private bool IsPod => cluster.Clustering == Clustering.Kubernetes;

    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(SiloNameGuard), ServiceLifecycleStage.BecomeActive, Check);

    internal async Task Check(CancellationToken cancelled)
    {
        var said = false;
        for (var begin = time.GetTimestamp(); Namesake() is { } other; await Task.Delay(LookAgain, time, cancelled))
        {
            if (leave.IsCancellationRequested)
                throw new JobException(
                    ServeErrors.SiloNameTaken, $"told to leave while it waited for the silo of an earlier pod {self.Name}.");
            var waited = time.GetElapsedTime(begin);
            if (waited >= Patience) throw new JobException(ServeErrors.SiloNameTaken, Describe(other));
            if (waited < Farewell || said) continue;
            LogWaiting(IsPod ? "pod" : "process", self.Name, other.SiloAddress.Endpoint, Patience.TotalSeconds);
            said = true;
        }
    }

    private string Describe(ClusterMember other) => IsPod
        ? $"The silo of an earlier pod {self.Name} at {other.SiloAddress.Endpoint} has not left within {Patience.TotalSeconds} s, "
            + "although its pod was deleted: end it on its node, or the node."
        : $"DTRAIN_SILO_NAME: the cluster already has a silo '{self.Name}' at {other.SiloAddress.Endpoint}; "
            + "give each silo a name of its own.";

    private ClusterMember? Namesake() => members.CurrentSnapshot.Members.Values.FirstOrDefault(
        m => m.Name == self.Name && !m.SiloAddress.Equals(self.SiloAddress) && m.Status == SiloStatus.Active
            && m.SiloAddress.Generation <= self.SiloAddress.Generation);

    [LoggerMessage(
        4231, LogLevel.Warning,
        "The silo of an earlier {Kind} {Name} at {Endpoint} has not left yet; this one waits up to {Seconds} s.")]
    private partial void LogWaiting(string kind, string name, System.Net.IPEndPoint endpoint, double seconds);
}
