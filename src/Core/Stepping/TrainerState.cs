using Distributed.Core.LossScaling;

namespace Distributed.Core.Stepping;

/// <summary>What every replica holds besides weights and moments; carried in each vote so that equality is checked, not assumed.</summary>
/// <param name="Step">Attempts so far.</param>
/// <param name="Updates">Applied steps so far.</param>
/// <param name="LossScale">The local scaler.</param>
/// <param name="Skips">Skipped steps that call for a look.</param>
public readonly record struct TrainerState(long Step, long Updates, LossScaleState LossScale, SkipTally Skips = default)
{
    /// <summary>Steps that <see cref="RecentSkips"/> remembers, roughly.</summary>
    public const int RecentSteps = 1000;

    /// <summary>
    /// Share of the latest steps that was skipped: of all while there are few, then a mean in which each step weighs less
    /// the longer ago it was.
    /// </summary>
    /// <value>0 to 1.</value>
    public double RecentSkips { get; init; }

    public long SkippedSteps => Step - Updates;

    /// <summary><see cref="RecentSkips"/> after one more step.</summary>
    public double RecentSkipsWith(bool skipped) =>
        RecentSkips + (((skipped ? 1 : 0) - RecentSkips) / (Math.Min(Step, RecentSteps - 1) + 1));
}
