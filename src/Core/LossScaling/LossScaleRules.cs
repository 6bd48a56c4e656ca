namespace Distributed.Core.LossScaling;

/// <summary>What the settings of a loss-scale policy must satisfy, for job files and command lines alike.</summary>
public static class LossScaleRules
{
    /// <summary>All that is wrong with the settings: the key and what was found and expected; empty when they are good.</summary>
    public static IReadOnlyList<(string Key, string Message)> Problems(LossScaleSpec spec)
    {
        var problems = new List<(string, string)>();
        if (!LossScalePolicies.Names.Contains(spec.Policy))
            problems.Add(("policy", $"'{spec.Policy}' is not a loss-scale policy; expected {string.Join(", ", LossScalePolicies.Names)}"));
        Expect(IsFloat32(spec.Init), "init", spec.Init, "a positive number within float32's range");
        Expect(spec.Min is null || IsFloat32(spec.Min.Value), "min", spec.Min, "a positive number within float32's range");
        Expect(spec.Max is null || IsFloat32(spec.Max.Value), "max", spec.Max, "a positive number within float32's range");
        Expect(spec.MaxConsecutiveSkips >= 1, "maxConsecutiveSkips", spec.MaxConsecutiveSkips, "a whole number of 1 or more");
        if (spec.Policy == LossScalePolicies.Static) return problems;

        Expect(
            (float)spec.Growth > 1 && float.IsFinite((float)spec.Growth), "growth", spec.Growth,
            "a finite number greater than 1, also as float32");
        Expect((float)spec.Backoff is > 0 and < 1, "backoff", spec.Backoff, "a number greater than 0 and less than 1, also as float32");
        Expect(spec.Interval >= 1, "interval", spec.Interval, "a whole number of 1 or more");
        Expect(spec.Hysteresis >= 1, "hysteresis", spec.Hysteresis, "a whole number of 1 or more");
        Expect(spec.Hysteresis <= 1 || spec.Policy != LossScalePolicies.Torch, "hysteresis", spec.Hysteresis,
            "1 with policy torch, which has none; policies megatron and deepspeed have one");
        Expect(!(spec.Min > spec.Max), "min", spec.Min, FormattableString.Invariant($"a number not above max, {spec.Max}"));
        Expect(!(spec.Init > spec.Max), "init", spec.Init, FormattableString.Invariant($"a number not above max, {spec.Max}"));
        return problems;

        void Expect(bool holds, string key, double? found, string expected)
        {
            if (!holds) problems.Add((key, FormattableString.Invariant($"found {found}, expected {expected}")));
        }
    }

    private static bool IsFloat32(double value) => (float)value > 0 && float.IsFinite((float)value);
}
