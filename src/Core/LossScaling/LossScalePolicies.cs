namespace Distributed.Core.LossScaling;

/// <summary>The loss-scale policies by name: what each has upstream when nothing is given, and how it is made.</summary>
public static class LossScalePolicies
{
    public const string Torch = "torch";
    public const string Megatron = "megatron";
    public const string DeepSpeed = "deepspeed";
    public const string Static = "static";

    private static readonly Entry[] All =
    [
        new(new() { Policy = Torch }, s => new TorchScalePolicy(s.Init, s.Spec.Growth, s.Spec.Backoff, s.Spec.Interval, s.Min, s.Max)),
        new(
            new() { Policy = Megatron, Init = 4294967296, Interval = 1000, Min = 1, Hysteresis = 2 },
            s => new MegatronScalePolicy(
                s.Init, (float)s.Spec.Growth, (float)s.Spec.Backoff, s.Spec.Interval, s.Floor, s.Max, s.Spec.Hysteresis)),
        new(
            new() { Policy = DeepSpeed, Interval = 1000, Min = 1, Hysteresis = 2 },
            s => new DeepSpeedScalePolicy(s.Init, s.Spec.Growth, s.Spec.Backoff, s.Spec.Interval, s.Floor, s.Max, s.Spec.Hysteresis)),
        new(new() { Policy = Static }, s => new StaticScalePolicy(s.Init)),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(e => e.Defaults.Policy)];

    /// <summary>The settings that a policy has upstream when none are given; unknown names get torch's.</summary>
    public static LossScaleSpec Defaults(string policy) => Find(policy)?.Defaults ?? new() { Policy = policy };

    /// <summary>The policy that the settings describe.</summary>
    /// <exception cref="ArgumentException">The settings break <see cref="LossScaleRules"/>.</exception>
    public static ILossScalePolicy Create(LossScaleSpec spec)
    {
        var problems = LossScaleRules.Problems(spec);
        if (problems.Count > 0)
            throw new ArgumentException(string.Join("; ", problems.Select(p => $"{p.Key}: {p.Message}")), nameof(spec));
        return Find(spec.Policy)!.Create(new(spec));
    }

    private static Entry? Find(string policy) => Array.Find(All, e => e.Defaults.Policy == policy);

    private sealed record Entry(LossScaleSpec Defaults, Func<Settings, ILossScalePolicy> Create);

    /// <summary>Settings as the policies take them: scales are float32.</summary>
    private sealed record Settings(LossScaleSpec Spec)
    {
        public float Init => (float)Spec.Init;

        public float? Min => (float?)Spec.Min;

        public float? Max => (float?)Spec.Max;

        /// <summary>Policies with a floor always have one.</summary>
        public float Floor => Min ?? (float)(Defaults(Spec.Policy).Min ?? 1);
    }
}
