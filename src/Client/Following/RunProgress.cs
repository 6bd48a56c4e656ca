using Distributed.Core.Events;
using Distributed.Core.Samples;

namespace Distributed.Client.Following;

/// <summary>What a run's events amount to so far.</summary>
internal sealed class RunProgress
{
    private const int WindowSteps = 50;
    private readonly Queue<(long Items, double Seconds)> window = new();
    private readonly List<ScaleChange> scales = [];
    private long windowItems;
    private double windowSeconds;
    private long furthest;

    /// <summary>The events before some moment were not asked for.</summary>
    public bool IsPartial { get; init; }

    /// <value>The step at which the run ends; 0: not known yet.</value>
    public long LastPlannedStep { get; set; }

    /// <summary>What a queued job waits for.</summary>
    /// <value>Null while it is not queued.</value>
    public string? Waiting { get; set; }

    /// <summary>Most memory that one of the run's own silos has had, in bytes.</summary>
    /// <value>Null: nobody looked.</value>
    public long? PeakMemory { get; set; }

    /// <value>What the ranks read; null before they have.</value>
    public DataSummary? Data { get; private set; }

    public StepEvent? Step { get; private set; }

    public EvalEvent? Evaluation { get; private set; }

    public string? Checkpoint { get; private set; }

    public long SkippedSteps { get; private set; }

    /// <value>The first step that this run skipped; null: none.</value>
    public StepEvent? FirstSkipped { get; private set; }

    public long Steps { get; private set; }

    /// <value>completed, stopped or failed; null while the job goes on.</value>
    public JobEvent? End { get; private set; }

    /// <summary>The scale after the first step and after each step that moved it.</summary>
    public IReadOnlyList<ScaleChange> Scales => scales;

    /// <value>Over the last steps, without evaluation and checkpoints; 0 before the first step.</value>
    public double SamplesPerSecond => windowSeconds > 0 ? windowItems / windowSeconds : 0;

    /// <value>Null while the end or the pace is unknown.</value>
    public TimeSpan? Remaining => Step is { } step && LastPlannedStep >= step.Step && window.Count > 0
        && windowSeconds / window.Count * (LastPlannedStep - step.Step) is var seconds && seconds < TimeSpan.MaxValue.TotalSeconds
        ? TimeSpan.FromSeconds(seconds) : null;

    public void Apply(JobEvent news)
    {
        // Whatever follows an end tells of a job that was resumed.
        if (news is StartedEvent or GenerationEvent or StepEvent) (End, Waiting) = (null, null);
        switch (news)
        {
            case StartedEvent started: Data = started.Data ?? Data; break;
            case GenerationEvent generation: Data = generation.Data ?? Data; break;
            case StepEvent step: ApplyStep(step); break;
            case EvalEvent evaluation: Evaluation = evaluation; break;
            case CheckpointEvent checkpoint: Checkpoint = checkpoint.Path; break;
            case CompletedEvent completed: (End, Checkpoint) = (completed, completed.Checkpoint); break;
            case StoppedEvent stopped: (End, Checkpoint) = (stopped, stopped.Checkpoint ?? Checkpoint); break;
            case FailedEvent failed: End = failed; break;
        }
    }

    private void ApplyStep(StepEvent step)
    {
        Step = step;
        if (step.Step > furthest) Count(step);
        window.Enqueue((step.Items, step.Seconds));
        windowItems += step.Items;
        windowSeconds += step.Seconds;
        if (window.Count <= WindowSteps) return;
        var (items, seconds) = window.Dequeue();
        windowItems -= items;
        windowSeconds -= seconds;
    }

    /// <summary>Once for each step: after a lost generation those since its last checkpoint come again, with the same values.</summary>
    private void Count(StepEvent step)
    {
        furthest = step.Step;
        Steps++;
        if (step.Skipped)
        {
            SkippedSteps++;
            FirstSkipped ??= step;
        }

        if (scales.Count == 0 || !scales[^1].Scale.Equals(step.LossScale)) scales.Add(new(step.Step, step.LossScale, step.Skipped));
    }
}
