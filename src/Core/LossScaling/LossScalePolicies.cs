namespace Distributed.Core.LossScaling;

/// <summary>The loss-scale policies by name.</summary>
public static class LossScalePolicies
{
    public const string Torch = "torch";
    public const string Megatron = "megatron";
    public const string DeepSpeed = "deepspeed";
    public const string Static = "static";

    public static IReadOnlyList<string> Names { get; } = [Torch, Megatron, DeepSpeed, Static];

    /// <summary>The settings that a policy has upstream when none are given; unknown names get torch's.</summary>
    public static LossScaleSpec Defaults(string policy) => policy switch
    {
        Megatron => new() { Policy = Megatron, Init = 4294967296, Interval = 1000, Min = 1, Hysteresis = 2 },
        DeepSpeed => new() { Policy = DeepSpeed, Interval = 1000, Min = 1, Hysteresis = 2 },
        _ => new() { Policy = policy },
    };

    /// <summary>The policy that the settings describe.</summary>
    /// <exception cref="ArgumentException">The settings break <see cref="LossScaleRules"/>.</exception>
    public static ILossScalePolicy Create(LossScaleSpec spec)
    {
        var problems = LossScaleRules.Problems(spec);
        if (problems.Count > 0)
            throw new ArgumentException(string.Join("; ", problems.Select(p => $"{p.Key}: {p.Message}")), nameof(spec));
        var (init, min, max) = ((float)spec.Init, (float?)spec.Min, (float?)spec.Max);
        var floor = min ?? (float)(Defaults(spec.Policy).Min ?? 1);
        return spec.Policy switch
        {
            Megatron => new MegatronScalePolicy(
                init, (float)spec.Growth, (float)spec.Backoff, spec.Interval, floor, max, spec.Hysteresis),
            DeepSpeed => new DeepSpeedScalePolicy(
                init, spec.Growth, spec.Backoff, spec.Interval, floor, max, spec.Hysteresis),
            Static => new StaticScalePolicy(init),
            _ => new TorchScalePolicy(init, spec.Growth, spec.Backoff, spec.Interval, min, max),
        };
    }
}
