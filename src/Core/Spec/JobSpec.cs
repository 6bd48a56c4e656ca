using Distributed.Core.LossScaling;
using Distributed.Core.Values;

namespace Distributed.Core.Spec;

/// <summary>A training job as its file describes it: the only input that final weights depend on.</summary>
/// <remarks>Equality is by content. Absent optional sections are null; defaults stand on the properties.</remarks>
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
    /// <value>simple-cnn, mlp, sentiment-lstm or transformer.</value>
    public required string Name { get; init; }

    /// <value>Probability of zeroing an input of the last layer, in [0, 1).</value>
    public double Dropout { get; init; }

    /// <value>A safetensors file to start from, by PyTorch parameter name; null: default initialisation.</value>
    public string? Weights { get; init; }

    /// <value>mlp: layer widths from input to output.</value>
    public EquatableList<int>? Sizes { get; init; }

    /// <value>sentiment-lstm and transformer: distinct tokens.</value>
    public int? Vocab { get; init; }

    /// <value>sentiment-lstm.</value>
    public int? Embedding { get; init; }

    /// <value>sentiment-lstm.</value>
    public int? Hidden { get; init; }

    /// <value>transformer: numbers a token, divisible by <see cref="Heads"/>.</value>
    public int? Width { get; init; }

    /// <value>transformer.</value>
    public int? Layers { get; init; }

    /// <value>transformer: attention heads of a layer.</value>
    public int? Heads { get; init; }

    /// <value>transformer: tokens of the longest sequence.</value>
    public int? Sequence { get; init; }
}

public sealed record DataSpec
{
    /// <value>cifar10, mnist, imdb, text, tensors or shapes.</value>
    public required string Name { get; init; }

    /// <value>Folder, archive or file; null where the set is generated.</value>
    public string? Path { get; init; }

    /// <value>shapes: training samples to generate.</value>
    public int? Samples { get; init; }

    /// <value>tensors: take inputs that are infinite or NaN; the steps they spoil are skipped.</value>
    public bool AllowNonFinite { get; init; }

    /// <value>imdb: tokens a review is cut or padded to; text: tokens of a sample, null: the model's sequence.</value>
    public int? Length { get; init; }

    /// <value>imdb: encoding of reviews that bear no mark, one of <see cref="JobWords.Encodings"/>; null: utf-8.</value>
    public string? Encoding { get; init; }
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
    /// <value>sgd, adam or adamw.</value>
    public string Name { get; init; } = "adamw";

    public double Lr { get; init; } = 1e-3;

    public EquatableList<double> Betas { get; init; } = new([0.9, 0.999]);

    public double Eps { get; init; } = 1e-8;

    /// <value>adamw: 0.01 unless given; sgd and adam: 0.</value>
    public double WeightDecay { get; init; }

    /// <value>Parameter name patterns (* and ?) that weight decay leaves out.</value>
    public EquatableList<string> NoDecay { get; init; } = new([]);

    public double Momentum { get; init; }

    public bool Nesterov { get; init; }
}

public sealed record ScheduleSpec
{
    /// <value>constant, linear or cosine.</value>
    public string Name { get; init; } = "constant";

    /// <value>W: update u (from 0) below W runs at lr * (u + 1) / W.</value>
    public long WarmupSteps { get; init; }
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
