using Distributed.Bench.Step;
using Distributed.Core.Spec;

namespace Distributed.Bench.Scaling;

/// <summary>How the batch grows with the ranks.</summary>
internal enum BatchRule
{
    /// <summary>The same batch per rank.</summary>
    Weak,

    /// <summary>The same global batch, dealt to the ranks.</summary>
    Strong,

    /// <summary>As weak, but nothing leaves before backward has ended: the time of the exchange alone.</summary>
    NoOverlap,
}

/// <param name="Rule">One rank is the same under any.</param>
internal sealed record ScalingCase(BatchRule Rule, int Ranks, int Silos)
{
    private static readonly (int Ranks, int Silos)[] Layouts = [(2, 1), (2, 2), (4, 1), (4, 2), (4, 4)];
    private static readonly ScalingCase Alone = new(BatchRule.NoOverlap, 2, 2);

    public static ScalingCase One { get; } = new(BatchRule.Weak, 1, 1);

    /// <summary>One rank first, the one that the others are compared with.</summary>
    public static IReadOnlyList<ScalingCase> All { get; } =
    [
        One, .. Layouts.Select(l => new ScalingCase(BatchRule.Weak, l.Ranks, l.Silos)),
        .. Layouts.Select(l => new ScalingCase(BatchRule.Strong, l.Ranks, l.Silos)), Alone,
    ];

    public static IReadOnlyList<ScalingCase> Quick { get; } = [One, new(BatchRule.Weak, 2, 2), new(BatchRule.Strong, 2, 2), Alone];

    public string BatchWord =>
        this == One ? "one rank" : Rule switch { BatchRule.Weak => "weak", BatchRule.Strong => "strong", _ => "weak, no overlap" };

    public string Place => $"{Ranks} {(Ranks == 1 ? "rank" : "ranks")} on {Silos} {(Silos == 1 ? "silo" : "silos")}";

    public JobSpec Job(StepCase model, string directory, Precision precision)
    {
        var job = Rule == BatchRule.Strong
            ? model.Job(directory, precision, model.Batch, model.Batch / Ranks)
            : model.Job(directory, precision, model.Batch * Ranks, model.Batch);
        return job with { Workers = job.Workers with { Overlap = Rule != BatchRule.NoOverlap } };
    }
}
