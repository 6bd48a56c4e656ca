using Distributed.Core.DataSets;
using Distributed.Core.Documents;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>What the parts of a job must satisfy together.</summary>
internal static class JobSpecRules
{
    public static void Batches(SpecSection job, JobSpec spec)
    {
        if (spec.GlobalBatch % spec.MicroBatch != 0)
        {
            job.Fail("microBatch", FormattableString.Invariant($"found {spec.MicroBatch}, which does not divide globalBatch ")
                + FormattableString.Invariant($"{spec.GlobalBatch}, expected {Divisors.Near(spec.GlobalBatch, spec.MicroBatch)}"));
            return;
        }

        if (spec.Workers.Min > spec.MicroBatches)
            job.Fail("workers.min", FormattableString.Invariant($"found {spec.Workers.Min}, but a step has only {spec.MicroBatches} ")
                + FormattableString.Invariant($"micro-batches (globalBatch {spec.GlobalBatch} / microBatch {spec.MicroBatch}), ")
                + "expected at most that; lower it or microBatch");
    }

    public static void ModelAndData(SpecSection job, ModelSpec model, DataSpec data)
    {
        var (needs, has) = (model.Options.Contract, data.Options.Contract);
        if (needs.Fits(has))
        {
            model.Options.CheckWith(job, data.Name, has);
            return;
        }

        var fitting = JobCatalog.Current.DataSets.Descriptors.Where(d => needs.Fits(((DataOptions)d.Set.Defaults).Contract))
            .Select(d => d.Name).ToList();
        job.Fail(
            "data.name",
            $"found {data.Name} with model {model.Name}, which takes {needs.Takes}, "
            + $"expected {(fitting.Count > 1 ? $"{string.Join(", ", fitting.SkipLast(1))} or {fitting[^1]}" : fitting[0])}");
    }

    public static void PrecisionAndModel(SpecSection job, JobSpec spec)
    {
        if (spec is { Precision: Precision.MixedFloat16, Model.Options.Float16Fault: { } fault, Workers.Device: "cpu" })
            job.Fail(
                "precision",
                $"found mixed_float16 with {spec.Model.Name} on cpu, where {fault}, "
                + "expected mixed_bfloat16 or float32, or workers.device cuda");
    }
}
