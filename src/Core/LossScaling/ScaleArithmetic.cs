namespace Distributed.Core.LossScaling;

/// <summary>The products that all policies share: double factor times float32 scale, narrowed once.</summary>
internal static class ScaleArithmetic
{
    public static float Shrink(float scale, double backoff, float? floor)
    {
        var shrunk = (float)(scale * backoff);
        return floor is { } least ? Math.Max(shrunk, least) : shrunk;
    }

    /// <summary>A scale that would leave float32's finite range stays: at an infinite one no step could ever be clean again.</summary>
    public static float Grow(float scale, double growth, float? cap)
    {
        var grown = (float)(scale * growth);
        if (!float.IsFinite(grown)) grown = scale;
        return cap is { } most ? Math.Min(grown, most) : grown;
    }

    public static LossScaleState Applied(this LossScaleState state) => state with { ConsecutiveSkips = 0 };

    public static LossScaleState Skipped(this LossScaleState state) => state with { ConsecutiveSkips = state.ConsecutiveSkips + 1 };
}
