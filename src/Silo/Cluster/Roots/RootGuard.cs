using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster.Roots;

/// <summary>Refuses a silo whose jobs root is not that of the others: it would look for their checkpoints in vain.</summary>
internal sealed class RootGuard(
    RootOwnership root, ServeSettings settings, IMembershipTable table, ILocalSiloDetails self, TimeProvider time)
    : ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>
    /// Longer than a member counts as alive without a sign of life, and than a network file system keeps an old list of files as a rule.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Two signs of life.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(500);

    /// <summary>After the members were seen to answer.</summary>
    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(RootGuard), ServiceLifecycleStage.BecomeActive + 1, Check);

    internal async Task Check(CancellationToken cancelled)
    {
        for (var begin = time.GetTimestamp(); await Stranger() is { } other; await Task.Delay(LookAgain, time, cancelled))
        {
            if (time.GetElapsedTime(begin) < Patience) continue;
            throw new JobException(
                ServeErrors.RootNotShared,
                $"DTRAIN_JOBS_ROOT: found {settings.JobsRoot}, which no other silo of cluster '{settings.ClusterId}' uses, "
                + $"such as {other}: all silos of a cluster share one folder; name theirs, or mount it here.");
        }
    }

    /// <returns>A member that lives, when none of them uses this root.</returns>
    private async Task<string?> Stranger()
    {
        var rows = await table.ReadAllAsync();
        var alive = rows.Members.Select(m => m.Item1)
            .Where(m => m.Status == SiloStatus.Active && !m.SiloAddress.Equals(self.SiloAddress)
                && time.GetUtcNow().UtcDateTime - m.IAmAliveTime < Fresh).ToList();
        var sharers = root.Sharers();
        return alive.Count == 0 || alive.Any(m => sharers.Contains(m.SiloName)) ? null : alive[0].SiloName;
    }
}
