using Distributed.Core.DataSets;
using Distributed.Core.LossScaling;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Schedules;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>A training job as its file describes it: the only input that final weights depend on.</summary>
/// <remarks>Equality is by content. Absent optional sections are null; defaults are on the properties.</remarks>
public sealed record JobSpec
{
    public required string Name { get; init; }

    public required ModelSpec Model { get; init; }

    public required DataSpec Data { get; init; }

    public Precision Precision { get; init; } = Precision.Float32;

    /// <summary>Samples of one optimizer step, over all ranks.</summary>
    public required int GlobalBatch { get; init; }

    /// <summary>Samples of one forward and backward; divides <see cref="GlobalBatch"/>.</summary>
    public required int MicroBatch { get; init; }

    /// <summary>Optimizer steps (attempts) to run; exactly one of this and <see cref="Epochs"/> is set.</summary>
    public long? Steps { get; init; }

    public int? Epochs { get; init; }

    public bool Shuffle { get; init; } = true;

    public long Seed { get; init; }

    /// <value>Null: the data set's own default.</value>
    public NormalizeSpec? Normalize { get; init; }

    public AugmentSpec? Augment { get; init; }

    public OptimizerSpec Optimizer { get; init; } = new();

    public ScheduleSpec Schedule { get; init; } = new();

    /// <value>Largest global gradient norm; null: no clipping.</value>
    public double? ClipNorm { get; init; }

    /// <value>Null: dynamic for mixed_float16, otherwise scale 1 with the non-finite check kept.</value>
    public LossScaleSpec? LossScale { get; init; }

    public WorkersSpec Workers { get; init; } = new();

    /// <summary>How gradients travel between silos; changes no bit.</summary>
    public GradientExchange Exchange { get; init; } = GradientExchange.Peer;

    public CheckpointSpec Checkpoint { get; init; } = new();

    /// <value>Null: evaluation at the end only.</value>
    public EvaluateSpec? Evaluate { get; init; }

    /// <value>Null: it may wait and run as long as it takes.</value>
    public LimitsSpec? Limits { get; init; }

    /// <summary>V: micro-batches of one step.</summary>
    public int MicroBatches => GlobalBatch / MicroBatch;
}

/// <summary>Precision policies by Keras' names.</summary>
public enum Precision
{
    Float32,
    MixedFloat16,
    MixedBFloat16,
}

/// <summary>How silos exchange gradients.</summary>
public enum GradientExchange
{
    /// <summary>Over sockets of their own, silo to silo.</summary>
    Peer,

    /// <summary>In calls to the coordinator grain, through the cluster's own ports.</summary>
    Coordinator,
}

public sealed record ModelSpec
{
    /// <value>One of the catalog's models.</value>
    public required string Name { get; init; }

    /// <summary>What the model takes besides its name.</summary>
    public required ModelOptions Options { get; init; }

    /// <value>A safetensors file to start from, by PyTorch parameter name; null: default initialisation.</value>
    public string? Weights { get; init; }

    /// <summary>The model that takes these options.</summary>
    public static ModelSpec Of(ModelOptions options, string? weights = null) =>
        new() { Name = JobCatalog.Current.Models.NameOf(options), Options = options, Weights = weights };
}

public sealed record DataSpec
{
    /// <value>One of the catalog's data sets.</value>
    public required string Name { get; init; }

    /// <summary>What the data set takes besides its name and path.</summary>
    public required DataOptions Options { get; init; }

    /// <value>Folder, archive or file; null where the set is generated.</value>
    public string? Path { get; init; }

    /// <summary>The data set that takes these options.</summary>
    public static DataSpec Of(DataOptions options, string? path = null) =>
        new() { Name = JobCatalog.Current.DataSets.NameOf(options), Options = options, Path = path };
}

public sealed record NormalizeSpec
{
    /// <value>Per channel, on pixels in [0, 1].</value>
    public required EquatableList<double> Mean { get; init; }

    public required EquatableList<double> Std { get; init; }
}

public sealed record AugmentSpec
{
    /// <value>Mirror left to right with probability one half.</value>
    public bool Flip { get; init; }

    /// <value>Pixels of zero padding before a random crop to the original size.</value>
    public int Crop { get; init; }
}

public sealed record OptimizerSpec
{
    /// <value>One of the catalog's optimizers.</value>
    public string Name { get; init; } = "adamw";

    /// <summary>What the optimizer takes besides its name.</summary>
    public OptimizerOptions Options { get; init; } = new AdamWOptions();

    /// <summary>The optimizer that takes these options.</summary>
    public static OptimizerSpec Of(OptimizerOptions options) =>
        new() { Name = JobCatalog.Current.Optimizers.NameOf(options), Options = options };
}

public sealed record ScheduleSpec
{
    /// <value>One of the catalog's schedules.</value>
    public string Name { get; init; } = "constant";

    /// <summary>What the schedule takes besides its name.</summary>
    public ScheduleOptions Options { get; init; } = new ConstantOptions();

    /// <summary>The schedule that takes these options.</summary>
    public static ScheduleSpec Of(ScheduleOptions options) =>
        new() { Name = JobCatalog.Current.Schedules.NameOf(options), Options = options };
}

public sealed record WorkersSpec
{
    public int Min { get; init; } = 1;

    /// <value>Null: as many as the micro-batches allow.</value>
    public int? Max { get; init; }

    /// <value>cpu or cuda.</value>
    public string Device { get; init; } = "cpu";

    public int IntraOpThreads { get; init; } = 1;

    /// <summary>Let finished buckets leave for the other silos while backward still runs; changes no bit.</summary>
    public bool Overlap { get; init; } = true;

    /// <value>Seconds that a rank or silo is waited for at a step before the job fails; null: the silo's own setting, 60.</value>
    public double? StepDeadline { get; init; }
}

public sealed record CheckpointSpec
{
    /// <value>Directory; null: checkpoints/ in the run's own directory.</value>
    public string? Path { get; init; }

    /// <value>Null: at the end only.</value>
    public long? EverySteps { get; init; }

    public int Keep { get; init; } = 3;
}

/// <summary>How long a job may take before it ends as failed; its last checkpoint stays.</summary>
public sealed record LimitsSpec
{
    /// <summary>Longest stay in the queue; each stay counts for itself.</summary>
    /// <value>Null: no limit.</value>
    public TimeSpan? Queued { get; init; }

    /// <summary>Longest time that its ranks run, over all its generations.</summary>
    /// <value>Null: no limit.</value>
    public TimeSpan? Run { get; init; }

    /// <summary>Losses without a checkpoint in between after which the job fails instead of coming back.</summary>
    /// <value>Null: 3, or 2 silos that died with its ranks.</value>
    public int? Losses { get; init; }
}

public sealed record EvaluateSpec
{
    public required long EverySteps { get; init; }
}
