using Distributed.Bench.Prediction;
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

    /// <summary>One rank with half the batch: how compute grows with it.</summary>
    HalfBatch,

    /// <summary>One rank with its batch in two micro-batches.</summary>
    TwoMicroBatches,
}

/// <param name="Rule">One rank is the same under any.</param>
internal sealed record ScalingCase(BatchRule Rule, int Ranks, int Silos)
{
    private static readonly (int Ranks, int Silos)[] Layouts = [(2, 1), (2, 2), (4, 1), (4, 2), (4, 4)];
    private static readonly ScalingCase Alone = new(BatchRule.NoOverlap, 2, 2);

    private static readonly ScalingCase Half = new(BatchRule.HalfBatch, 1, 1);

    public static ScalingCase One { get; } = new(BatchRule.Weak, 1, 1);

    /// <summary>One rank first, the one that the others are compared with.</summary>
    public static IReadOnlyList<ScalingCase> All { get; } =
    [
        One, Half, new(BatchRule.TwoMicroBatches, 1, 1), .. Layouts.Select(l => new ScalingCase(BatchRule.Weak, l.Ranks, l.Silos)),
        .. Layouts.Select(l => new ScalingCase(BatchRule.Strong, l.Ranks, l.Silos)), Alone,
    ];

    public static IReadOnlyList<ScalingCase> Quick { get; } =
        [One, Half, new(BatchRule.Weak, 2, 1), new(BatchRule.Weak, 2, 2), new(BatchRule.Strong, 2, 2), Alone];

    /// <value>The model of a step is made from it; else that is checked against it.</value>
    public bool IsFitted => Rule is BatchRule.NoOverlap or BatchRule.HalfBatch || (Rule == BatchRule.Weak && Silos == 1);

    public string BatchWord => this == One ? "one rank" : Rule switch
    {
        BatchRule.Weak => "weak",
        BatchRule.Strong => "strong",
        BatchRule.HalfBatch => "one rank, half batch",
        BatchRule.TwoMicroBatches => "one rank, two micro-batches",
        _ => "weak, no overlap",
    };

    public string Place => $"{Ranks} {(Ranks == 1 ? "rank" : "ranks")} on {Silos} {(Silos == 1 ? "silo" : "silos")}";

    public JobSpec Job(StepCase model, string directory, Precision precision)
    {
        var layout = Layout(model);
        var job = model.Job(directory, precision, layout.MicroBatch * layout.MicroBatches * Ranks, layout.MicroBatch);
        return job with { Workers = job.Workers with { Overlap = layout.Overlap } };
    }

    public StepLayout Layout(StepCase model)
    {
        var (microBatch, microBatches) = Rule switch
        {
            BatchRule.Strong => (model.Batch / Ranks, 1),
            BatchRule.HalfBatch => (model.Batch / 2, 1),
            BatchRule.TwoMicroBatches => (model.Batch / 2, 2),
            _ => (model.Batch, 1),
        };
        return new StepLayout(Ranks, Silos, microBatch, microBatches, Rule != BatchRule.NoOverlap);
    }
}
