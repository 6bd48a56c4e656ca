namespace Distributed.Core.LossScaling;

/// <summary>One step of a policy run alone.</summary>
/// <param name="After">The state after the decision.</param>
public readonly record struct ScaleTraceStep(LossScaleState After, bool Skipped)
{
    public float Scale => After.Scale;

    public int GrowthTracker => After.GrowthTracker;
}

/// <summary>Runs a loss-scale policy over a stream of overflow flags.</summary>
public static class ScaleTrace
{
    /// <summary>The steps one by one, computed as they are asked for.</summary>
    /// <param name="foundInf">Anything but zero, NaN included, is an overflow: flags may be sums over ranks.</param>
    /// <param name="growthTracker">Tracker to start from; null: the policy's own start.</param>
    /// <exception cref="LossScaleException">While enumerating: the policy gives up at this step.</exception>
    public static IEnumerable<ScaleTraceStep> Run(ILossScalePolicy policy, IEnumerable<double> foundInf, int? growthTracker = null)
    {
        var state = policy.Initial;
        if (growthTracker is { } tracker) state = state with { GrowthTracker = tracker };
        foreach (var found in foundInf)
        {
            var overflow = found != 0;
            state = policy.Next(state, overflow);
            yield return new(state, overflow);
        }
    }
}
