namespace Distributed.Core.LossScaling;

/// <summary>DeepSpeed's ZeRO scaler (consecutive hysteresis off): counts iterations, grows periodically, raises at its floor.</summary>
/// <param name="window">
/// Growth comes at every multiple of this many clean steps after the first clean one, one step later than torch.
/// </param>
/// <param name="hysteresis">Overflows from which on the scale backs off; refilled at growth only.</param>
internal sealed class DeepSpeedScalePolicy(float init, double growth, double backoff, int window, float min, float? max, int hysteresis)
    : ILossScalePolicy
{
    public LossScaleState Initial { get; } = new(init, 0, hysteresis, -1, 0);

    public LossScaleState Next(LossScaleState state, bool foundInf)
    {
        var iteration = state.GrowthTracker;
        var next = state with { GrowthTracker = iteration + 1 };
        if (foundInf) return Overflow(next.Skipped() with { LastOverflow = iteration });
        var stable = iteration - state.LastOverflow - 1;
        return stable > 0 && stable % window == 0
            ? next.Applied() with { Scale = ScaleArithmetic.Grow(state.Scale, growth, max), Hysteresis = hysteresis }
            : next.Applied();
    }

    private LossScaleState Overflow(LossScaleState state)
    {
        if (hysteresis != 1 && state.Hysteresis != 1) return state with { Hysteresis = state.Hysteresis - 1 };
        if (state.Scale == min)
            throw new LossScaleException(
                FormattableString.Invariant($"Gradient overflow with the loss scale already at its minimum {min}: it cannot go lower. ")
                + "Set a smaller lossScale.min, lower the learning rate, or use a policy other than deepspeed.");
        return state with { Scale = ScaleArithmetic.Shrink(state.Scale, backoff, min) };
    }
}
