namespace Distributed.Core.LossScaling;

/// <summary>Megatron's DynamicGradScaler: tolerates overflows up to a budget that only growth refills.</summary>
/// <param name="hysteresis">Overflows from which on the scale backs off; once spent, every further one does.</param>
/// <remarks>Factors are float32 there, so the products are too.</remarks>
internal sealed class MegatronScalePolicy(float init, float growth, float backoff, int interval, float min, float? max, int hysteresis)
    : ILossScalePolicy
{
    public LossScaleState Initial { get; } = new(init, 0, hysteresis, -1, 0);

    public LossScaleState Next(LossScaleState state, bool foundInf)
    {
        if (foundInf)
        {
            var left = state.Hysteresis - 1;
            var scale = left <= 0 ? ScaleArithmetic.Shrink(state.Scale, backoff, min) : state.Scale;
            return state.Skipped() with { Scale = scale, GrowthTracker = 0, Hysteresis = left };
        }

        var successful = state.GrowthTracker + 1;
        return successful == interval
            ? state.Applied() with { Scale = ScaleArithmetic.Grow(state.Scale, growth, max), GrowthTracker = 0, Hysteresis = hysteresis }
            : state.Applied() with { GrowthTracker = successful };
    }
}
