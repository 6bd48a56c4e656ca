using System.Globalization;
using Distributed.Bench.Figures;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Native;
using JobPrecision = Distributed.Core.Spec.Precision;
using static TorchSharp.torch;

namespace Distributed.Bench.Step;

/// <summary>
/// Times the trainer's step against a plain TorchSharp loop, two ranks against one, and bfloat16 against float32, all in one process.
/// </summary>
/// <param name="train">Runs a job with so many ranks in this process and returns its events.</param>
/// <param name="untuned">
/// Seconds of the plain loop's step in a process with glibc's own allocator settings: case and precision by name.
/// </param>
public sealed class StepBench(Func<JobSpec, int, Task<IReadOnlyList<JobEvent>>> train, Func<string, string, Task<double>> untuned)
{
    /// <summary>One run of the plain loop in this process.</summary>
    /// <returns>Seconds of a step: the median of those that are steady.</returns>
    public static Task<double> Plain(string name, string precision)
    {
        NativeRuntime.Initialize();
        return PlainStep(StepCase.All.Single(c => c.Name == name), (JobPrecision)JobWords.Precisions.ToList().IndexOf(precision));
    }

    public static IReadOnlyList<string> Columns { get; } = ["model", "precision", "what", "baseline ms", "ms", "ratio"];
    private readonly Dictionary<string, double> ratios = new(StringComparer.Ordinal);
    private readonly List<IReadOnlyList<string>> rows = [];

    /// <param name="rounds">Repetitions; baseline and subject take turns, and the median ratio counts.</param>
    /// <param name="only">Run only models whose name contains this; null: all.</param>
    /// <param name="report">Takes each row as soon as it is measured.</param>
    public async Task<BenchSummary> Run(int rounds, string? only, Action<BenchRow> report)
    {
        NativeRuntime.Initialize();
        var directory = Directory.CreateTempSubdirectory("dtrain-bench-").FullName;
        try
        {
            foreach (var item in StepCase.All.Where(c => only is null || c.Name.Contains(only, StringComparison.Ordinal)))
                await RunCase(item, directory, rounds, report);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
        return new BenchSummary(
            "Seconds of a training step (AdamW)", Columns, rows, ratios,
            [
                "ratio: time over baseline for 'plain' and 'allocator' (lower is better); "
                + "samples/s over baseline for 'two ranks' and 'bfloat16' (higher is better).",
                "plain: the same model, optimizer, precision and batch in a TorchSharp loop, one thread, "
                + "in the same process with the same allocator settings.",
                "allocator: the plain loop with freed blocks kept in the process, against the same loop with glibc's "
                + "defaults in a process of its own.",
                "A run counts from where its steps are steady: the medians of two neighbouring windows differ by less than 3 %; from its "
                + "middle at the latest.",
                $"Each ratio is the median of {rounds} alternating runs. Two ranks need two idle cores; this says nothing about GPUs.",
            ]);
    }

    private async Task RunCase(StepCase item, string directory, int rounds, Action<BenchRow> report)
    {
        item.WriteData(directory);
        Dictionary<JobPrecision, List<double>> single = new() { [JobPrecision.Float32] = [], [JobPrecision.MixedBFloat16] = [] };
        foreach (var precision in single.Keys)
        {
            List<double> bare = [], plain = [], ours = [], shared = [], doubled = [];
            for (var round = 0; round < rounds; round++)
            {
                bare.Add(await untuned(item.Name, JobWords.Of(precision)));
                plain.Add(await PlainStep(item, precision));
                ours.Add(await Step(item.Job(directory, precision, item.Batch, item.Batch), 1));
                if (Environment.ProcessorCount < 2) continue;
                shared.Add(await Step(item.Job(directory, precision, item.Batch, item.Batch / 2), 2));
                doubled.Add(await Step(item.Job(directory, precision, 2 * item.Batch, item.Batch), 2));
            }
            single[precision] = ours;
            Add(item.Name, precision, "allocator, plain loop", bare, plain, (b, s) => s / b, report);
            Add(item.Name, precision, "plain", plain, ours, (b, s) => s / b, report);
            if (shared.Count == 0) continue;
            Add(item.Name, precision, "two ranks, same global batch", ours, shared, (b, s) => b / s, report);
            Add(item.Name, precision, "two ranks, same batch per rank", ours, doubled, (b, s) => 2 * b / s, report);
        }
        Add(
            item.Name, JobPrecision.MixedBFloat16, "bfloat16", single[JobPrecision.Float32], single[JobPrecision.MixedBFloat16],
            (b, s) => b / s, report);
    }

    private void Add(
        string model, JobPrecision precision, string what, List<double> baseline, List<double> subject, Func<double, double, double> ratio,
        Action<BenchRow> report)
    {
        var middle = BenchMath.Median(baseline.Zip(subject, ratio));
        var word = JobWords.Of(precision);
        ratios[$"{model}, {word}, {what}"] = Math.Round(middle, 3);
        string[] cells =
            [model, word, what, Milliseconds(baseline), Milliseconds(subject), middle.ToString("0.00", CultureInfo.InvariantCulture)];
        rows.Add(cells);
        report(new BenchRow(cells));
    }

    private static string Milliseconds(List<double> seconds) =>
        (BenchMath.Median(seconds) * 1e3).ToString("0.00", CultureInfo.InvariantCulture);

    private async Task<double> Step(JobSpec job, int ranks)
    {
        var events = await train(job, ranks);
        return SteadySteps.Median([.. events.OfType<StepEvent>().Select(e => e.Seconds)]);
    }

    /// <returns>Seconds of a step: the median of those that are steady.</returns>
    internal static Task<double> PlainStep(StepCase item, JobPrecision precision)
    {
        var done = new TaskCompletionSource<double>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                RankThreadPriority.LowerCurrent();
                using var scope = NewDisposeScope();
                var (x, y) = item.FirstBatch();
                var seconds = PlainLoop.Run(item.Model, precision, x, y, item.Steps);
                done.SetResult(SteadySteps.Median(seconds));
            }
#pragma warning disable CA1031 // The thread's top: whatever happened goes to the awaiting caller.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        })
        { IsBackground = true, Name = "plain loop" }.Start();
        return done.Task;
    }
}
