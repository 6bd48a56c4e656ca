namespace Distributed.Core.LossScaling;

/// <summary>torch.amp.GradScaler: grows after <paramref name="interval"/> clean steps, backs off at every overflow.</summary>
/// <param name="min">Floor of a backed-off scale; null: none, as in torch.</param>
/// <param name="max">Cap of a grown scale; null: the largest finite float32, as in torch.</param>
/// <remarks>Rule: libtorch's <c>_amp_update_scale_</c>, whose factors are double and whose scale is narrowed after the product.</remarks>
internal sealed class TorchScalePolicy(float init, double growth, double backoff, int interval, float? min, float? max) : ILossScalePolicy
{
    public LossScaleState Initial { get; } = new(init, 0, 0, -1, 0);

    public LossScaleState Next(LossScaleState state, bool foundInf)
    {
        if (foundInf) return state.Skipped() with { Scale = ScaleArithmetic.Shrink(state.Scale, backoff, min), GrowthTracker = 0 };
        var successful = state.GrowthTracker + 1;
        return successful == interval
            ? state.Applied() with { Scale = ScaleArithmetic.Grow(state.Scale, growth, max), GrowthTracker = 0 }
            : state.Applied() with { GrowthTracker = successful };
    }
}
