using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

// A job that sets limits is looked at when the one of its phase is due.
internal sealed partial class JobGrain
{
    /// <summary>Timers are not set for longer; and a clock that was set right is noticed.</summary>
    private static readonly TimeSpan LongestLook = TimeSpan.FromHours(1);

    /// <summary>Behind the moment itself, so that it has come.</summary>
    private static readonly TimeSpan Behind = TimeSpan.FromMilliseconds(50);

    /// <summary>What could not be stored is tried again.</summary>
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(10);

    private IGrainTimer? limit;

    /// <summary>As they are now: the operator may change his.</summary>
    private JobBounds Bounds
    {
        get
        {
            // It may have been deleted while somebody was told of it.
            var user = store.State.Submission?.User ?? "";
            return JobBounds.Of(Spec.Limits, user, quotas.Of(user));
        }
    }

    private void WatchLimits()
    {
        limit?.Dispose();
        limit = null;
        if (store.State.Submission is null || JobLimits.Left(State, Bounds, time.GetUtcNow()) is not { } left) return;
        var due = left + Behind < LongestLook ? left + Behind : LongestLook;
        limit = this.RegisterGrainTimer(LookAtLimits, new GrainTimerCreationOptions { DueTime = due, Period = TryAgain });
    }

    private async Task LookAtLimits()
    {
        var transition = JobLimits.Expire(State, Bounds, time.GetUtcNow(), lastStep, options.Value.StopPatience);
        if (ReferenceEquals(transition.State, State)) WatchLimits();
        else await Apply(transition);
    }

    /// <param name="before">What stands before the words, if there are any.</param>
    private string LimitWords(string before) => JobLimits.Describe(State, Bounds, time.GetUtcNow()) is { Length: > 0 } words ? before + words : "";
}
