using System.Collections.Immutable;
using System.Globalization;
using Distributed.Bench.Figures;
using Distributed.Bench.Step;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Native;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Bench.Memory;

/// <summary>Peak memory of training by precision: the trainer and a plain TorchSharp loop, each run in a process of its own.</summary>
/// <param name="measure">Runs one in a fresh process; bytes that it added to its process at the peak.</param>
public sealed class MemoryBench(Func<MemoryRun, Task<long>> measure)
{
    /// <summary>The optimizer's state comes with the first step; the peak with the second.</summary>
    private const int Steps = 4;
    private const int MicroBatches = 4;
    private static readonly ImmutableArray<(string What, int Ranks, int MicroBatches)> Whats =
        [("plain loop", 0, 1), ("1 rank", 1, 1), (Invariant($"1 rank, {MicroBatches} micro-batches"), 1, MicroBatches), ("2 ranks", 2, 1)];

    private readonly Dictionary<string, double> ratios = new(StringComparer.Ordinal);
    private readonly List<IReadOnlyList<string>> rows = [];
    private readonly List<string> missed = [];

    public static IReadOnlyList<string> Columns { get; } =
        ["model", "precision", "what", "peak MiB", "/ float32", "/ plain loop", "at least / peak"];

    /// <summary>Runs that took less than <see cref="JobMemory"/> says a job takes at the least: it would refuse jobs that fit.</summary>
    public IReadOnlyList<string> Missed => missed;

    /// <summary>One run in this process.</summary>
    /// <param name="train">Trains a job with so many ranks in this process.</param>
    /// <returns>Bytes.</returns>
    public static async Task<long> Measure(MemoryRun run, Func<JobSpec, int, Task<IReadOnlyList<JobEvent>>> train)
    {
        NativeRuntime.Initialize();
        var item = StepCase.All.Single(c => c.Name == run.Model) with { Steps = Steps };
        var precision = (JobPrecision)JobWords.Precisions.ToList().IndexOf(run.Precision);
        if (run.Ranks == 0)
        {
            var start = PeakMemory.Start();
            await StepBench.PlainStep(item, precision);
            return start.Added;
        }

        var directory = Directory.CreateTempSubdirectory("dtrain-bench-").FullName;
        try
        {
            item.WriteData(directory);
            var start = PeakMemory.Start();
            await train(item.Job(directory, precision, run.Ranks * item.Batch, item.Batch / run.MicroBatches), run.Ranks);
            return start.Added;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <param name="rounds">Repetitions of each run, of which the median counts.</param>
    /// <param name="only">Run only models whose name contains this; null: all.</param>
    /// <param name="quick">The plain loop and one rank alone.</param>
    /// <param name="report">Takes each row as soon as it is measured.</param>
    public async Task<BenchSummary> Run(int rounds, string? only, bool quick, Action<BenchRow> report)
    {
        foreach (var item in StepCase.All.Where(c => only is null || c.Name.Contains(only, StringComparison.Ordinal)))
            await RunCase(item, quick ? Whats[..2] : Whats, rounds, report);
        return new BenchSummary(
            "Peak memory of a training process above its start (AdamW)", Columns, rows, ratios,
            [
                "/ float32, / plain loop: memory over that of the same row in float32, and of the plain TorchSharp loop in the same "
                + "precision (lower is better).",
                "at least / peak: what the sizes of a job tell of its need before it starts ('dtrain plan'; "
                + "silos refuse what does not fit), over what it took. Above 1 it would refuse jobs that fit: exit code 1.",
                Invariant($"1 rank: one micro-batch per step. {MicroBatches} micro-batches: the same batch in {MicroBatches} pieces. ")
                + "2 ranks: in one silo, the same batch per rank, so twice the batch.",
                "float32 master weights, gradients and AdamW's moments are the same in all precisions; half precision halves activations, "
                + "and mixed_bfloat16 adds working copies of the weights.",
                "The trainer's figure includes its data, its exchange buffers and a checkpoint being written. "
                + "mixed_float16 is measured where this CPU takes seconds for it.",
            ]);
    }

    private static JobPrecision[] Precisions(StepCase item) => item.Name is "simple-cnn" or "mlp 784-2048-2048-10"
        ? [JobPrecision.Float32, JobPrecision.MixedBFloat16, JobPrecision.MixedFloat16]
        : [JobPrecision.Float32, JobPrecision.MixedBFloat16];

    private async Task RunCase(
        StepCase item, ImmutableArray<(string What, int Ranks, int MicroBatches)> whats, int rounds, Action<BenchRow> report)
    {
        var wide = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var precision in Precisions(item))
        {
            var word = JobWords.Of(precision);
            double plain = 0;
            foreach (var (what, ranks, microBatches) in whats)
            {
                var peaks = new List<double>();
                for (var round = 0; round < rounds; round++) peaks.Add(await measure(new MemoryRun(item.Name, word, ranks, microBatches)));
                var peak = BenchMath.Median(peaks);
                if (ranks == 0) plain = peak;
                if (precision == JobPrecision.Float32) wide[what] = peak;
                else ratios[$"{item.Name}, {word}, {what}, / float32"] = BenchMath.Significant(peak / wide[what]);
                if (ranks == 1 && microBatches == 1)
                    ratios[$"{item.Name}, {word}, {what}, / plain loop"] = BenchMath.Significant(peak / plain);
                var least = ranks == 0
                    ? (double?)null
                    : JobMemory.Of(item.Job("", precision, ranks * item.Batch, item.Batch / microBatches), ranks).Total / peak;
                if (least is { } share)
                {
                    ratios[$"{item.Name}, {word}, {what}, at least / peak"] = BenchMath.Significant(share);
                    if (share > 1)
                        missed.Add(
                            Invariant($"{item.Name}, {word}, {what}: took {peak:0} bytes, of which JobMemory asks for {share:0.00} times"));
                }

                string[] cells =
                [
                    item.Name, word, what, Invariant($"{peak / (1 << 20):0.0}"), Invariant($"{peak / wide[what]:0.00}"),
                    Invariant($"{peak / plain:0.00}"),
                    least is { } known ? Invariant($"{known:0.00}") : "",
                ];
                rows.Add(cells);
                report(new BenchRow(cells));
            }
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>One run of <see cref="MemoryBench"/>.</summary>
/// <param name="Model">A case by its name.</param>
/// <param name="Precision">By its word in job files.</param>
/// <param name="Ranks">0: the plain loop.</param>
/// <param name="MicroBatches">A step of a rank.</param>
public sealed record MemoryRun(string Model, string Precision, int Ranks, int MicroBatches);
