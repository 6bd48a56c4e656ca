using Distributed.Core.Jobs;
using Distributed.Training.Kernels;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>Lets no state be kept, and no job be completed, that is not finite.</summary>
/// <remarks>Replicas are equal bit by bit, so every silo comes to the same end.</remarks>
internal static unsafe class FiniteState
{
    private const string Remedy = "Lower optimizer.lr or set clipNorm.";

    /// <summary>Checks weights and moments, before they become a checkpoint.</summary>
    /// <exception cref="JobException"><c>non-finite</c>, naming the first parameter.</exception>
    public static void Demand(JobRuntime job)
    {
        foreach (var (what, flat) in job.Optimizer.Moments.Select(m => ($"the moments {m.Name} of", m.Flat))
            .Prepend(("the weights of", job.Replica.Master)))
        {
            if (First(job, flat) is { } parameter)
                throw new JobException(
                    ErrorCodes.NonFinite,
                    $"After step {job.State.Step} {what} '{parameter}' are no longer finite: an update was larger than float32 can hold. "
                    + $"{Remedy} Checkpoints of earlier steps are whole.");
        }
    }

    /// <summary>Checks the last evaluation, before the job is called completed.</summary>
    /// <exception cref="JobException"><c>non-finite</c>, naming the metric.</exception>
    public static void Demand(IReadOnlyDictionary<string, double> metrics, long step, string? checkpoint)
    {
        if (Fault(metrics) is { } fault)
            throw new JobException(
                ErrorCodes.NonFinite,
                $"The evaluation after the last step, {step}, gives {fault}, though the weights are finite: they lead beyond what the "
                + $"model's arithmetic can hold. {Remedy} The weights are kept in {checkpoint ?? "no checkpoint"}.");
    }

    /// <returns>The first metric that is not finite, with its value; null: all are.</returns>
    public static string? Fault(IReadOnlyDictionary<string, double> metrics) =>
        metrics.Where(metric => !double.IsFinite(metric.Value)).OrderBy(metric => metric.Key, StringComparer.Ordinal)
            .Select(metric => FormattableString.Invariant($"{metric.Key} {metric.Value}")).FirstOrDefault();

    /// <summary>The first parameter, in parameter order, whose part of a flat buffer is not finite.</summary>
    public static string? First(JobRuntime job, Tensor flat)
    {
        var start = (float*)job.Device.Address(flat);
        return job.Layout.Slots.FirstOrDefault(s => !job.Device.AllFinite(start + s.Offset, s.Count))?.Spec.Name;
    }
}
