using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

// A rank reports its own end; that of a lost silo's ranks only the membership can tell.
internal sealed partial class JobGrain
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    private IGrainTimer? watch;

    private bool HasRanks => State.Generation > 0 && State.Ended.Count < State.WorldSize;

    private void WatchSilos()
    {
        if (HasRanks)
        {
            watch ??= this.RegisterGrainTimer(LookForLostSilos, new GrainTimerCreationOptions { DueTime = LookPeriod, Period = LookPeriod });
            return;
        }

        watch?.Dispose();
        watch = null;
    }

    private async Task LookForLostSilos()
    {
        var snapshot = members.CurrentSnapshot;
        foreach (var silo in store.State.Plan)
        {
            if (!HasRanks) return;
            if (snapshot.GetSiloStatus(silo.Silo.Address) == SiloStatus.Dead)
                await Apply(JobLifecycle.SiloLost(State, silo.Silo.Name, silo.Ranks.Select(r => r.Rank), lastStep > 0 ? lastStep : null));
        }
    }
}
