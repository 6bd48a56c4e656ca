using Distributed.Bench.Baselines;
using Distributed.Bench.Cluster;
using Distributed.Bench.Figures;
using Distributed.Bench.Latency;
using Distributed.Bench.Settings;
using Distributed.Bench.Step;
using Distributed.Core.Documents;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Native;

namespace Distributed.Bench.Scaling;

/// <summary><c>bench scaling</c>: chooses models and layouts, starts the silos, finds DDP.</summary>
internal static class ScalingCommand
{
    private static readonly string[] Models = ["simple-cnn", "mlp 784-2048-2048-10", "transformer"];

    private static readonly IReadOnlyList<StepCase> QuickModels =
    [
        new("mlp 16-32-10", ModelSpec.Of(new MlpOptions { Sizes = new([16, 32, 10]) }), 8, 6),
        new("mlp 16-512-10", ModelSpec.Of(new MlpOptions { Sizes = new([16, 512, 10]) }), 8, 6),
    ];

    public static async Task<BenchSummary> Run(BenchOptions options, Action<BenchRow> report, CancellationToken cancel)
    {
        NativeRuntime.Initialize();
        var models = options.Quick ? QuickModels : [.. StepCase.All.Where(c => Models.Contains(c.Name))];
        if (!models.Any(m => Wanted(m.Name, Precision.Float32) || Wanted(m.Name, Precision.MixedBFloat16)))
        {
            var names = models.SelectMany(m => new[] { Name(m.Name, Precision.Float32), Name(m.Name, Precision.MixedBFloat16) });
            throw new FormatException($"bench scaling: no case's name contains '{options.Only}'; there are: {string.Join("; ", names)}.");
        }

        var cases = options.Quick ? ScalingCase.Quick : ScalingCase.All;
        using var baselines = options.Quick ? BaselineSet.None() : await BaselineSet.Look(mpi: false, cancel);
        await using var cluster = await BenchCluster.Start(cases.Max(c => c.Silos), cancel);
        var votes = new LatencyProbe(cluster.Grains, cluster.Train, cluster.Endpoints);
        var bench = new ScalingBench(cluster.Train, new StepTables(Environment.ProcessorCount, options.Bandwidths))
        {
            Ddp = baselines.Torch is { } torch ? torch.TrainDdp : null,
        };
        var summary = await bench.Run(
            models, cases, Wanted, options.Rounds, await VoteRounds.Measure(votes.Decisions, options.Quick), report);
        string[] notes = options.Quick ? ["--quick trains too few steps for figures, fit or predictions to mean anything."] : [];
        return summary with { Notes = [.. summary.Notes, .. notes, .. baselines.Notes] };

        bool Wanted(string model, Precision precision) =>
            (!options.Quick || precision == Precision.Float32)
            && (options.Only is null || Name(model, precision).Contains(options.Only, StringComparison.Ordinal));
    }

    private static string Name(string model, Precision precision) => $"{model}, {JobWords.Of(precision)}";
}
