using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Models;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>Gives a job's text its meaning and checks all of it.</summary>
public static partial class JobSpecReader
{
    /// <summary>The job, or the errors, in the order of the text.</summary>
    public static JobSpecResult Read(SpecNode root)
    {
        if (root is not SpecNode.Map map)
            return new(null, [new(root.At, "", $"found {SpecDescription.Of(root)}, expected a mapping with name, model, data and so on")]);
        var errors = new SpecErrors();
        var job = new SpecSection(map, "", errors);
        var spec = ReadJob(job);
        job.End();
        return errors.Count == 0 ? new(spec, []) : new(null, errors.ToList());
    }

    /// <remarks>Values in error are replaced by harmless ones; the result is then thrown away.</remarks>
    private static JobSpec ReadJob(SpecSection job)
    {
        var name = job.Text("name", required: true, SpecBounds.LongestName);
        var model = ReadModel(job.Section("model", required: true));
        var data = ReadData(job.Section("data", required: true));
        var precision = job.Word("precision", JobWords.Precisions) is { } word
            ? (Precision)JobWords.Precisions.ToList().IndexOf(word)
            : Precision.Float32;
        var globalBatch = job.Whole("globalBatch", 1, 1_000_000, required: true);
        var microBatch = job.Whole("microBatch", 1, 1_000_000, required: true);
        var (steps, epochs) = ReadLength(job);
        var optimizer = ReadOptimizer(job.Section("optimizer"));
        var spec = new JobSpec
        {
            Name = name ?? "",
            Model = model ?? ModelSpec.Of(new SimpleCnnOptions()),
            Data = data ?? DataSpec.Of(new ShapesOptions()),
            Precision = precision,
            GlobalBatch = (int)(globalBatch ?? 1),
            MicroBatch = (int)(microBatch ?? 1),
            Steps = steps,
            Epochs = (int?)epochs,
            Shuffle = job.Flag("shuffle") ?? true,
            Seed = job.Whole("seed", long.MinValue, long.MaxValue) ?? 0,
            Normalize = ReadNormalize(job, data),
            Augment = ReadAugment(job, data),
            Optimizer = optimizer,
            Schedule = ReadSchedule(job.Section("schedule"), optimizer.Options.Lr),
            ClipNorm = job.Number("clipNorm", NumberRange.Positive),
            LossScale = ReadLossScale(job.Section("lossScale")),
            Workers = ReadWorkers(job.Section("workers")),
            Exchange = job.Word("exchange", JobWords.Exchanges) is { } exchange
                ? (GradientExchange)JobWords.Exchanges.ToList().IndexOf(exchange)
                : GradientExchange.Peer,
            Checkpoint = ReadCheckpoint(job.Section("checkpoint")),
            Evaluate = ReadEvaluate(job.Section("evaluate")),
            Limits = ReadLimits(job.Section("limits")),
        };
        if (globalBatch is not null && microBatch is not null) JobSpecRules.Batches(job, spec);
        if (model is not null && data is not null) JobSpecRules.ModelAndData(job, model, data);
        JobSpecRules.PrecisionAndModel(job, spec);
        return spec;
    }

    private static (long? Steps, long? Epochs) ReadLength(SpecSection job)
    {
        var (steps, epochs) = (job.Whole("steps", 1, 1_000_000_000_000), job.Whole("epochs", 1, 1_000_000));
        if (job.Has("steps") && job.Has("epochs")) job.Fail("epochs", "found both steps and epochs, expected exactly one of them");
        else if (!job.Has("steps") && !job.Has("epochs")) job.Fail("steps", "missing, expected either steps or epochs");
        return (steps, epochs);
    }
}
