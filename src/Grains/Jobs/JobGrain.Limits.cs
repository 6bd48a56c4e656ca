using Distributed.Grains.Contracts;
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

    /// <summary>When it last looked at what it has on disk: changes of the job must not put the next look off.</summary>
    private long? weighed;

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

    private bool HasDiskQuota =>
        journals is not null && State.Phase == JobPhase.Running && quotas.Of(store.State.Submission!.User).Disk is not null;

    private TimeSpan UntilWeighed
    {
        get
        {
            var left = options.Value.WeighPeriod - time.GetElapsedTime(weighed ??= time.GetTimestamp());
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private void WatchLimits()
    {
        limit?.Dispose();
        limit = null;
        if (store.State.Submission is null) return;
        var due = JobLimits.Left(State, Bounds, time.GetUtcNow());
        if (HasDiskQuota && UntilWeighed is var weigh && !(due < weigh)) due = weigh;
        if (due is { } left) LookIn(left);
    }

    private void LookIn(TimeSpan left)
    {
        var due = left + Behind < LongestLook ? left + Behind : LongestLook;
        limit = this.RegisterGrainTimer(LookAtLimits, new GrainTimerCreationOptions { DueTime = due, Period = TryAgain });
    }

    private async Task LookAtLimits()
    {
        var transition = JobLimits.Expire(State, Bounds, time.GetUtcNow(), Journal.LastStep, options.Value.StopPatience);
        if (ReferenceEquals(transition.State, State) && await Overfull() is { } why)
            transition = JobLimits.Overfill(State, why, time.GetUtcNow(), Journal.LastStep, options.Value.StopPatience);
        if (ReferenceEquals(transition.State, State)) WatchLimits();
        else await Apply(transition);
    }

    /// <returns>Null: there is room on disk, or nobody can tell now.</returns>
    private async Task<string?> Overfull()
    {
        if (!HasDiskQuota || UntilWeighed > TimeSpan.Zero) return null;
        weighed = time.GetTimestamp();
        try
        {
            return await Queue.Weigh(Id, store.State.Submission!.User, await journals!.Size(Id));
        }
        catch (Exception e) when (e is IOException or OrleansException or TimeoutException)
        {
            LogQueueSilent(e, Id);
            return null;
        }
    }

    /// <param name="before">What stands before the words, if there are any.</param>
    private string LimitWords(string before) =>
        JobLimits.Describe(State, Bounds, time.GetUtcNow()) is { Length: > 0 } words ? before + words : "";
}
