using Distributed.Core.Documents;

namespace Distributed.Core.Spec;

public static partial class JobSpecReader
{
    private const int MostWorkers = 4096;
    private const double LongestDeadline = 86_400;

    private static WorkersSpec ReadWorkers(SpecSection? workers)
    {
        if (workers is null) return new();
        var (least, most) = (workers.Whole("min", 1, MostWorkers), workers.Whole("max", 1, MostWorkers));
        var spec = new WorkersSpec
        {
            Min = (int)(least ?? 1),
            Max = (int?)most,
            Device = workers.Word("device", JobWords.Devices) ?? "cpu",
            IntraOpThreads = (int)(workers.Whole("intraOpThreads", 1, 1024) ?? 1),
            Overlap = workers.Flag("overlap") ?? true,
            StepDeadline = workers.Number("stepDeadline", NumberRange.Seconds(LongestDeadline)),
        };
        if (least > most) workers.Fail("max", FormattableString.Invariant($"found {most}, expected at least workers.min, {least}"));
        workers.End();
        return spec;
    }

    private static CheckpointSpec ReadCheckpoint(SpecSection? checkpoint)
    {
        if (checkpoint is null) return new();
        var spec = new CheckpointSpec
        {
            Path = checkpoint.Text("path"),
            EverySteps = checkpoint.Whole("everySteps", 1, long.MaxValue),
            Keep = (int)(checkpoint.Whole("keep", 1, 1_000_000) ?? 3),
        };
        checkpoint.End();
        return spec;
    }

    private static EvaluateSpec? ReadEvaluate(SpecSection? evaluate)
    {
        if (evaluate is null) return null;
        var everySteps = evaluate.Whole("everySteps", 1, long.MaxValue, required: true);
        evaluate.End();
        return new() { EverySteps = everySteps ?? 1 };
    }

    private static LimitsSpec? ReadLimits(SpecSection? limits)
    {
        if (limits is null) return null;
        var spec = new LimitsSpec
        {
            Queued = limits.Duration("queued"),
            Run = limits.Duration("run"),
            Losses = (int?)limits.Whole("losses", 1, 1000),
        };
        limits.End();
        return spec is { Queued: null, Run: null, Losses: null } ? null : spec;
    }
}
