using System.Globalization;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>Says why a job is in its state, and what helps; a pure function of what is known of it.</summary>
internal static class JobDoctor
{
    private const double ManySkips = 0.05;
    private const double LargeShare = 0.25;

    /// <param name="failure">Of a failed job.</param>
    /// <param name="queue">What the queue says of a waiting one; null when it says nothing.</param>
    /// <param name="limit">What a waiting or running job may still take; empty when it has no limit.</param>
    /// <param name="recent">The last events, oldest first.</param>
    /// <param name="trouble">Why the job's record could not be stored the last time; null when it was.</param>
    /// <param name="starved">Silos that were killed because memory ran out while they ran its ranks.</param>
    /// <returns>The weightiest first; never empty.</returns>
    public static IEnumerable<JobFinding> Examine(
        JobReport report, JobError? failure, JobFinding? queue, string limit, IReadOnlyList<JobEvent> recent, string? trouble = null,
        IReadOnlyCollection<string>? starved = null)
    {
        var found = Examine(report, failure, queue, limit, recent);
        if (starved?.Count > 0)
            found = found.Append(new(
                $"{(starved.Count > 1 ? "silos" : "silo")} {string.Join(" and ", starved)} ended with its ranks while memory ran out on "
                + "the machine: most likely the kernel ended the process for that",
                Remedy(ErrorCodes.Memory, report.Id)));
        return trouble is null
            ? found
            : found.Prepend(new(
                $"cannot store its state: {trouble}",
                "Nothing that was stored is lost. It continues by itself once the store answers and accepts writes."));
    }

    private static IEnumerable<JobFinding> Examine(
        JobReport report, JobError? failure, JobFinding? queue, string limit, IReadOnlyList<JobEvent> recent) =>
        report.Phase switch
        {
            JobPhase.Queued => [.. Waits(report, queue, recent), .. Limit(limit)],
            JobPhase.Running => [.. Runs(report, recent, report.Message == limit ? "" : report.Message), .. Limit(limit)],
            JobPhase.Failed => [new($"failed{At(failure!)}: {failure!.Message}", Remedy(failure.Code, report.Id)), .. Skips(recent)],
            JobPhase.Stopped when report.Message.Length > 0 => [new(
                Say($"was stopped after step {report.Step}: {report.Message.Split(':')[0]}"),
                $"'dtrain resume {report.Id}' continues from its last checkpoint.")],
            JobPhase.Stopped =>
                [new(Say($"was stopped after step {report.Step}"), $"'dtrain resume {report.Id}' continues from its last checkpoint.")],
            _ => [new(Say($"has completed after {report.Step} steps"), "")],
        };

    private static IEnumerable<JobFinding> Waits(JobReport report, JobFinding? queue, IReadOnlyList<JobEvent> recent)
    {
        yield return queue is null
            ? new("waits for its turn; the queue has not looked at it yet", "Ask again in a second.")
            : queue with { What = $"waits: {queue.What}" };
        if (report.Generation > Generation.None)
            yield return new(
                Say($"ran before, in generation {report.Generation}, up to step {report.Step}"), "It continues from its last checkpoint.");
        foreach (var warning in recent.OfType<WarningEvent>().TakeLast(1)) yield return new($"the last warning: {warning.Message}", "");
    }

    private static IEnumerable<JobFinding> Runs(JobReport report, IReadOnlyList<JobEvent> recent, string message)
    {
        if (message.Length > 0) yield return new(message, "");
        var steps = recent.OfType<StepEvent>().Where(s => s.Generation == report.Generation).ToList();
        if (steps.Count == 0)
        {
            yield return new(
                Say($"runs on {string.Join(", ", report.Silos)} but has not finished a step of generation {report.Generation}: ")
                + "its silos read their data and load the checkpoint, or the first step is long",
                $"'dtrain logs {report.Id}' shows its last entries.");
            yield break;
        }

        var findings = Skips(recent).Concat(Slow(report, steps)).ToList();
        foreach (var finding in findings) yield return finding;
        var mean = steps.Average(s => s.Seconds);
        yield return new(
            Say($"runs with {report.Ranks} ranks on {string.Join(", ", report.Silos)}: ")
            + Say($"step {report.Step}{(report.Steps > 0 ? Say($" of {report.Steps}") : "")}, ")
            + Say($"{mean:0.####} s per step{(findings.Count == 0 ? "; nothing stands out" : "")}"), "");
    }

    private static IEnumerable<JobFinding> Limit(string words) => words.Length > 0 ? [new(words, "")] : [];

    private static IEnumerable<JobFinding> Skips(IReadOnlyList<JobEvent> recent)
    {
        var steps = recent.OfType<StepEvent>().ToList();
        var skipped = steps.Where(s => s.Skipped).ToList();
        if (steps.Count == 0 || skipped.Count < Math.Max(2, ManySkips * steps.Count)) yield break;
        var culprit = skipped.LastOrDefault(s => s.NonFinite is not null)?.NonFinite;
        yield return new(
            Say($"skips steps: {skipped.Count} of the last {steps.Count} had gradients that are not ")
            + Say($"finite{(culprit is null ? "" : $", the last time first in {culprit}")}; the loss scale is {steps[^1].LossScale:G6}"),
            "A few at the start are normal while the loss scale settles. If it continues: lower the learning rate, set clipNorm, "
            + "start with a smaller lossScale.init, or use mixed_bfloat16.");
    }

    private static IEnumerable<JobFinding> Slow(JobReport report, List<StepEvent> steps)
    {
        var all = steps.Sum(
            s => s.Phases.Data + s.Phases.Forward + s.Phases.Backward + s.Phases.Exchange + s.Phases.Decide + s.Phases.Apply);
        if (all <= 0) yield break;
        var (data, exchange, decide) = (steps.Sum(s => s.Phases.Data) / all, steps.Sum(s => s.Phases.Exchange) / all,
            steps.Sum(s => s.Phases.Decide) / all);
        if (data > LargeShare)
            yield return new(
                Say($"is slowed by its data: {data:P0} of a step is waiting for the next batch"),
                "Put the data on a faster volume, or give a rank larger micro-batches.");
        if (exchange > LargeShare)
            yield return new(
                Say($"is slowed by the exchange: {exchange:P0} of a step is spent waiting for gradients of ")
                + Say($"{(report.Silos.Length > 1 ? "other silos and ranks" : "other ranks")}{Slowest(steps)}"),
                report.Silos.Length > 1
                    ? $"Use fewer silos ('dtrain scale {report.Id} --workers N'); in the next job's file leave exchange and "
                        + "workers.overlap as they are by default, and give a step more micro-batches."
                    : "Use fewer ranks than cores, or more micro-batches per step.");
        if (decide > LargeShare)
            yield return new(
                Say($"is slowed by the decision: {decide:P0} of a step is waiting for the coordinator"),
                $"Look at the load of silo {report.Silos[0]}, which coordinates the job, and at the network.");
    }

    /// <summary>Where one rank computes much longer than the others, all wait for it.</summary>
    private static string Slowest(List<StepEvent> steps)
    {
        if (steps.FindLast(s => s.Ranks is { Count: > 1 })?.Ranks is not { } ranks) return "";
        var slowest = ranks.MaxBy(r => r.Compute)!;
        var others = ranks.Where(r => r != slowest).Average(r => r.Compute);
        return slowest.Compute > 1.3 * others
            ? Say($"; rank {slowest.Rank} computes {slowest.Compute / others:0.0} times as long as the others")
            : "";
    }

    private static string At(JobError error) => error.Step is { } step ? Say($" at step {step}") : "";

    private static string Remedy(string code, JobId id) => code switch
    {
        ErrorCodes.SpecInvalid => "Correct the job file, then 'dtrain submit' it under another id.",
        ErrorCodes.PathMissing => $"Put the file where the message says, on all silos, then 'dtrain resume {id}'. "
            + "If the job names a wrong path, correct the job file and 'dtrain submit' it under another id.",
        ErrorCodes.ResumeMismatch => $"Put back what the message says has changed, then 'dtrain resume {id}'; "
            + "to start from the beginning, 'dtrain submit' the job under another id.",
        ErrorCodes.CheckpointExists => $"'dtrain resume {id}' continues from those checkpoints; "
            + "to start from the beginning, name another checkpoint.path and submit it under another id.",
        ErrorCodes.DataInvalid => $"Correct the data file that the message names, then 'dtrain resume {id}'.",
        ErrorCodes.CheckpointInvalid =>
            $"'dtrain checkpoint verify' shows which files are damaged; restore one, then 'dtrain resume {id}'.",
        ErrorCodes.NonFinite => "Lower the learning rate, set clipNorm, or look for values in the data that are not finite; "
            + "then 'dtrain submit' it under another id.",
        ErrorCodes.Storage => $"Free space on the volume, or correct its rights, then 'dtrain resume {id}'.",
        ErrorCodes.SiloLost or ErrorCodes.Deadline => $"Look at the log of the silo that the message names, then 'dtrain resume {id}'.",
        ErrorCodes.Memory =>
            "Submit it again with a smaller microBatch, a smaller model or fewer ranks; or ask the operator for silos with more memory.",
        ErrorCodes.Quota => $"Delete jobs whose checkpoints are not needed any more ('dtrain delete ID'), then 'dtrain resume {id}'; "
            + "a smaller checkpoint.keep takes less.",
        ErrorCodes.LimitExceeded => $"'dtrain resume {id}' requeues it, to continue from its last checkpoint; "
            + "both times then count from zero. A job that needs longer is submitted with other limits.",
        ErrorCodes.Divergence =>
            $"Run all silos on one build and on machines that are alike, then 'dtrain resume {id}'. If they are, please report it.",
        _ => $"See the log of the silo; 'dtrain resume {id}' tries again from the last checkpoint.",
    };

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
