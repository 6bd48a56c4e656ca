using Distributed.Grains.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

// A rank reports its own end; that of a lost silo's ranks only the membership can tell.
internal sealed partial class JobGrain
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(1);

    private IGrainTimer? watch;

    private bool HasRanks => State.Generation > 0 && State.Ended.Count < State.WorldSize;

    private bool IsLost(SiloRanks silo) => members.CurrentSnapshot.GetSiloStatus(silo.Silo.Address) == SiloStatus.Dead;

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
        foreach (var silo in store.State.Plan)
        {
            if (HasRanks && IsLost(silo))
                await Apply(JobLifecycle.SiloLost(State, silo.Silo.Name, silo.Ranks.Select(r => r.Rank), lastStep > 0 ? lastStep : null));
        }
    }
}
