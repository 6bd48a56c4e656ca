using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Core.Values;

namespace Distributed.Core.Events;

/// <summary>One line of a job's event log; see docs/events.md for the JSON form.</summary>
public abstract record JobEvent;

public sealed record RankPlace(Rank Rank, string Silo, string Device);

public sealed record StartedEvent(JobId Job, Generation Generation, IReadOnlyList<RankPlace> Ranks) : JobEvent
{
    /// <value>What was read; null when the ranks ended before they had read it.</value>
    public DataSummary? Data { get; init; }
}

public sealed record GenerationEvent(Generation Number, string Reason, IReadOnlyList<RankPlace> Ranks) : JobEvent
{
    /// <value>As in <see cref="StartedEvent.Data"/>.</value>
    public DataSummary? Data { get; init; }
}

/// <summary>
/// The ranks have read their data. From a silo to the job's grain alone, which tells it with the start of the generation.
/// </summary>
public sealed record DataEvent(DataSummary Data) : JobEvent;

/// <summary>Seconds of one step by phase: the longest of this silo's ranks for the first three, the lead rank's for the rest.</summary>
public sealed record PhaseSeconds(double Data, double Forward, double Backward, double Exchange, double Decide, double Apply);

/// <summary>One attempted step; scale and tracker are the values after the decision, the loss is the mean before the update.</summary>
public sealed record StepEvent(
    long Step, long Epoch, double Loss, long Items, double Lr, double LossScale, int GrowthTracker, bool Skipped, long Updates,
    double GradNorm, Generation Generation, double Seconds, PhaseSeconds Phases) : JobEvent
{
    /// <value>On a skipped step: the first parameter with a non-finite gradient.</value>
    public string? NonFinite { get; init; }

    /// <value>Where the time of each rank went; null where nobody measured.</value>
    public EquatableList<RankSeconds>? Ranks { get; init; }

    /// <value>With several silos: when the lead silo's buckets could leave; in the order of the flat gradient.</value>
    public EquatableList<BucketTime>? Buckets { get; init; }
}

/// <summary>
/// Seconds of one rank in one step: of this one on the lead silo, of the one before on the others, whose news comes with the next exchange.
/// </summary>
/// <param name="Compute">Data, forward and backward.</param>
/// <param name="Exchange">From the first bucket's leaving to the whole reduced gradient.</param>
/// <param name="Exposed">The part of it that compute did not hide: the wait after backward.</param>
public sealed record RankSeconds(Rank Rank, long Step, double Compute, double Exchange, double Exposed, double Decide, double Apply);

/// <param name="Bytes">Of the bucket's FP32 gradient.</param>
/// <param name="Ready">Seconds from the step's start until the last rank of the silo had its gradients.</param>
public sealed record BucketTime(long Bytes, double Ready);

public sealed record EvalEvent(long Step, IReadOnlyDictionary<string, double> Metrics) : JobEvent;

public sealed record CheckpointEvent(long Step, string Path) : JobEvent;

/// <summary>A warning that names its remedy.</summary>
public sealed record WarningEvent(string Message) : JobEvent;

public sealed record CompletedEvent(
    long Steps, double Loss, string WeightsSha256, long SkippedSteps, double Seconds, double SamplesPerSecond, string Checkpoint)
        : JobEvent;

/// <summary>Ended on demand; a later run resumes from the checkpoint.</summary>
/// <param name="Checkpoint">The last one written; null when there is none.</param>
public sealed record StoppedEvent(long Step, string WeightsSha256, string? Checkpoint) : JobEvent;

public sealed record JobError(string Code, string Message, Rank? Rank, string? Silo, string? Phase, long? Step);

public sealed record FailedEvent(JobError Error) : JobEvent;
