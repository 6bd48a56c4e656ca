using Distributed.Core.Scaling;

namespace Distributed.Core.Jobs;

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
            NoDecay = optimizer.Texts("noDecay") ?? defaults.NoDecay,
            Momentum = optimizer.Number("momentum", NumberRange.BelowOne) ?? 0,
            Nesterov = optimizer.Flag("nesterov") ?? false,
        };
        CheckOptimizer(optimizer, spec, misnamed: optimizer.Has("name") && given is null);
        optimizer.End();
        return spec;
    }

    private static void CheckOptimizer(SpecSection optimizer, OptimizerSpec spec, bool misnamed)
    {
        if (spec.Betas.Count != 2) optimizer.Fail("betas", FormattableString.Invariant($"found {spec.Betas.Count} numbers, expected two, such as [0.9, 0.999]"));
        if (misnamed) return;
        if (spec.Name == JobWords.Sgd)
        {
            optimizer.Refuse("belongs to adam and adamw, not to sgd; remove it", "betas", "eps");
            if (spec is { Nesterov: true, Momentum: 0 }) optimizer.Fail("nesterov", "found true without momentum, expected momentum greater than 0");
        }
        else
        {
            optimizer.Refuse($"belongs to sgd, not to {spec.Name}; remove it", "momentum", "nesterov");
        }
    }

    private static double DefaultWeightDecay(string name) => name == JobWords.AdamW ? 0.01 : 0;

    private static ScheduleSpec ReadSchedule(SpecSection? schedule)
    {
        if (schedule is null) return new();
        var spec = new ScheduleSpec
        {
            Name = schedule.Word("name", JobWords.Schedules) ?? "constant",
            WarmupSteps = schedule.Whole("warmupSteps", 0, 1_000_000_000_000) ?? 0,
        };
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
        };
        lossScale.End();
        if (policy is null && lossScale.Has("policy")) return spec;
        foreach (var (key, message) in LossScaleRules.Problems(spec)) lossScale.Fail(key, message);
        return spec;
    }
}
