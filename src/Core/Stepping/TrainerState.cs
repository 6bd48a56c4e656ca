using Distributed.Core.Scaling;

namespace Distributed.Core.Stepping;

/// <summary>What every replica holds beside weights and moments; carried in each vote so that equality is checked, not assumed.</summary>
/// <param name="Step">Attempts so far.</param>
/// <param name="Updates">Applied steps so far.</param>
/// <param name="Scaling">The local scaler.</param>
/// <param name="Skips">Skipped steps that call for a look.</param>
public readonly record struct TrainerState(long Step, long Updates, LossScaleState Scaling, SkipTally Skips = default)
{
    public long SkippedSteps => Step - Updates;
}
