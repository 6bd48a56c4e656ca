using Distributed.Core.Documents;
using Distributed.Core.LossScaling;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private static OptimizerSpec ReadOptimizer(SpecSection? optimizer)
    {
        if (optimizer is null) return new() { WeightDecay = DefaultWeightDecay(JobWords.AdamW) };
        var given = optimizer.Word("name", JobWords.Optimizers);
        var name = given ?? JobWords.AdamW;
        var defaults = new OptimizerSpec();
        var spec = new OptimizerSpec
        {
            Name = name,
            Lr = optimizer.Number("lr", NumberRange.NotNegative) ?? defaults.Lr,
            Betas = optimizer.Numbers("betas", NumberRange.BelowOne) ?? defaults.Betas,
            Eps = optimizer.Number("eps", NumberRange.Positive) ?? defaults.Eps,
            WeightDecay = optimizer.Number("weightDecay", NumberRange.NotNegative) ?? DefaultWeightDecay(name),
            NoDecay = optimizer.Patterns("noDecay") ?? defaults.NoDecay,
            Momentum = optimizer.Number("momentum", NumberRange.BelowOne) ?? 0,
            Nesterov = optimizer.Flag("nesterov") ?? false,
        };
        CheckOptimizer(optimizer, spec, misnamed: optimizer.Has("name") && given is null);
        optimizer.End();
        return spec;
    }

    private static void CheckOptimizer(SpecSection optimizer, OptimizerSpec spec, bool misnamed)
    {
        if (spec.Betas.Count != 2) optimizer.FailLength("betas", spec.Betas.Count, "two, such as [0.9, 0.999]");
        if (misnamed) return;
        if (spec.Name == JobWords.Sgd)
        {
            optimizer.Refuse("belongs to adam and adamw, not to sgd; remove it", "betas", "eps");
            if (spec is { Nesterov: true, Momentum: 0 }) optimizer.Fail("nesterov", "found true without momentum, expected momentum greater than 0");
        }
        else
        {
            optimizer.Refuse($"belongs to sgd, not to {spec.Name}; remove it", "momentum", "nesterov");
            CheckAdamProducts(optimizer, spec);
        }
    }

    /// <remarks>The kernel takes these products as float32.</remarks>
    private static void CheckAdamProducts(SpecSection optimizer, OptimizerSpec spec)
    {
        if (spec.Betas.Count != 2) return;
        var first = (float)(spec.Lr / (1 - spec.Betas[0]));
        if (!float.IsFinite(first))
            optimizer.Fail("lr", FormattableString.Invariant($"found {spec.Lr}, which makes the first update's lr / (1 - beta1) {Float32.Show(first)} as float32, expected a smaller one"));
        var decay = (float)(spec.Lr * spec.WeightDecay);
        if (spec.Name == JobWords.AdamW && !float.IsFinite(decay))
            optimizer.Fail("weightDecay", FormattableString.Invariant($"found {spec.WeightDecay}, which makes lr * weightDecay {Float32.Show(decay)} as float32, expected a smaller one"));
    }

    private static double DefaultWeightDecay(string name) => name == JobWords.AdamW ? 0.01 : 0;

    private static ScheduleSpec ReadSchedule(SpecSection? schedule, double lr)
    {
        if (schedule is null) return new();
        var spec = new ScheduleSpec
        {
            Name = schedule.Word("name", JobWords.Schedules) ?? "constant",
            WarmupSteps = schedule.Whole("warmupSteps", 0, 1_000_000_000_000) ?? 0,
        };
        if (spec.WarmupSteps > 0 && !Float32.Holds(lr / spec.WarmupSteps))
            schedule.Fail("warmupSteps", FormattableString.Invariant($"found {spec.WarmupSteps}, which makes the first rate, optimizer.lr / warmupSteps, 0 as float32, expected fewer or a larger optimizer.lr"));
        schedule.End();
        return spec;
    }

    /// <remarks>Ranges are those of the policies themselves, so a command line gets the same ones.</remarks>
    private static LossScaleSpec? ReadLossScale(SpecSection? lossScale)
    {
        if (lossScale is null) return null;
        var policy = lossScale.Word("policy", LossScalePolicies.Names);
        var defaults = LossScalePolicies.Defaults(policy ?? LossScalePolicies.Torch);
        var spec = new LossScaleSpec
        {
            Policy = defaults.Policy,
            Init = lossScale.Number("init", NumberRange.Any) ?? defaults.Init,
            Growth = lossScale.Number("growth", NumberRange.Any) ?? defaults.Growth,
            Backoff = lossScale.Number("backoff", NumberRange.Any) ?? defaults.Backoff,
            Interval = (int)(lossScale.Whole("interval", 1, int.MaxValue) ?? defaults.Interval),
            Min = lossScale.Number("min", NumberRange.Any) ?? defaults.Min,
            Max = lossScale.Number("max", NumberRange.Any) ?? defaults.Max,
            Hysteresis = (int)(lossScale.Whole("hysteresis", 1, 1_000_000) ?? defaults.Hysteresis),
            MaxConsecutiveSkips = (int)(lossScale.Whole("maxConsecutiveSkips", 1, int.MaxValue) ?? defaults.MaxConsecutiveSkips),
            MaxSkippedShare = lossScale.Number("maxSkippedShare", NumberRange.Share) ?? defaults.MaxSkippedShare,
        };
        lossScale.End();
        if (policy is null && lossScale.Has("policy")) return spec;
        foreach (var (key, message) in LossScaleRules.Problems(spec)) lossScale.Fail(key, message);
        CheckInverse("init", spec.Init);
        CheckInverse("min", spec.Min ?? 1);
        return spec;

        // Gradients are multiplied by float32(1 / scale). The policy alone, as a command line traces it, does without.
        void CheckInverse(string key, double scale)
        {
            if (Float32.Holds(scale) && scale > 0 && !float.IsFinite((float)(1 / (double)(float)scale)))
                lossScale.Fail(key, FormattableString.Invariant($"found {scale}, whose inverse is infinite as float32, expected 3e-39 or more"));
        }
    }
}
