using Distributed.Core.Documents;
using Distributed.Core.LossScaling;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private static OptimizerSpec ReadOptimizer(SpecSection? optimizer)
    {
        if (optimizer is null) return new();
        var catalog = JobCatalog.Current.Optimizers;
        var given = optimizer.Word("name", catalog.Names);
        var name = optimizer.Has("name") ? given : new OptimizerSpec().Name;
        var options = catalog.Read(optimizer, name);
        options?.Check(optimizer);
        optimizer.End();
        return options is null ? new() : new() { Name = name!, Options = options };
    }

    private static ScheduleSpec ReadSchedule(SpecSection? schedule, double lr)
    {
        if (schedule is null) return new();
        var catalog = JobCatalog.Current.Schedules;
        var given = schedule.Word("name", catalog.Names);
        var name = schedule.Has("name") ? given : new ScheduleSpec().Name;
        var options = catalog.Read(schedule, name);
        if (options is { WarmupSteps: > 0 and var warmup } && !Float32.Holds(lr / warmup))
            schedule.Fail("warmupSteps", FormattableString.Invariant($"found {warmup}, which makes the first rate, ")
                + "optimizer.lr / warmupSteps, 0 as float32, expected fewer or a larger optimizer.lr");
        schedule.End();
        return options is null ? new() : new() { Name = name!, Options = options };
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
                lossScale.Fail(
                    key, FormattableString.Invariant($"found {scale}, whose inverse is infinite as float32, expected 3e-39 or more"));
        }
    }
}
