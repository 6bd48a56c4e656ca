using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>How long a job may wait and run, by its own wish and its operator's.</summary>
/// <param name="Queued">Null: no bound.</param>
/// <param name="Run">Null: no bound.</param>
/// <param name="RunSetBy">Who set it, as messages say it.</param>
internal sealed record JobBounds(TimeSpan? Queued, TimeSpan? Run, string RunSetBy = JobBounds.ByTheJob)
{
    private const string ByTheJob = "the limit that the job sets in limits.run";

    /// <value>False: it is its operator's.</value>
    public bool RunIsItsOwn => RunSetBy == ByTheJob;

    public static JobBounds Of(LimitsSpec? limits, string user, UserQuota quota) => quota.Run is { } longest
        && (limits?.Run is not { } own || own > longest)
        ? new(limits?.Queued, longest, $"the longest that the cluster's operator lets a job of user {user} run")
        : new(limits?.Queued, limits?.Run);
}
