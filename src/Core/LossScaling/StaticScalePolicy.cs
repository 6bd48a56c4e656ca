namespace Distributed.Core.LossScaling;

/// <summary>A scale that never moves; steps with non-finite gradients are still skipped.</summary>
internal sealed class StaticScalePolicy(float scale) : ILossScalePolicy
{
    public LossScaleState Initial { get; } = new(scale, 0, 0, -1, 0);

    public LossScaleState Next(LossScaleState state, bool foundInf) =>
        (foundInf ? state.Skipped() : state.Applied()) with { GrowthTracker = 0 };
}
