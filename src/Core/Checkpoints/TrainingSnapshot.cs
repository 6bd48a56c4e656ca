using Distributed.Core.Samples;
using Distributed.Core.Stepping;

namespace Distributed.Core.Checkpoints;

/// <summary>What a checkpoint holds besides tensors: all that a resumed run needs to continue as if it had never stopped.</summary>
public sealed record TrainingSnapshot
{
    /// <summary>Attempts, applied steps and the scaler; the data cursor and the schedule follow from the counts.</summary>
    public required TrainerState State { get; init; }

    public required long Seed { get; init; }

    /// <summary>The optimizer's own step count of each parameter, by PyTorch name: one that got no gradient lags behind.</summary>
    public required IReadOnlyDictionary<string, long> ParameterSteps { get; init; }

    /// <summary>The samples that it was trained on.</summary>
    /// <value>Null in checkpoints of versions that did not note it.</value>
    public DataSummary? Data { get; init; }

    /// <summary>The job as one JSON object.</summary>
    public required string SpecJson { get; init; }

    /// <summary>Where equal bits can be expected: device kind, libtorch, instruction set, threads per rank.</summary>
    public required string Fingerprint { get; init; }
}
