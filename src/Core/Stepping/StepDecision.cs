namespace Distributed.Core.Stepping;

/// <summary>What all replicas do with a step: the same for all, a pure function of one vote.</summary>
/// <param name="Step">The step decided.</param>
/// <param name="Commit">Apply the update; false: skip it.</param>
/// <param name="After">The state of every replica after the step.</param>
/// <param name="ClipCoefficient">Factor on the unscaled gradient, 1 when nothing is clipped.</param>
/// <param name="LearningRate">Rate of the update.</param>
/// <param name="Control">What to do after the step, on all ranks alike.</param>
/// <param name="Failure">Why the job ends here; null: it goes on.</param>
public sealed record StepDecision(
    long Step, bool Commit, TrainerState After, float ClipCoefficient, double LearningRate, StepControl Control, string? Failure);

/// <summary>A wish of the job's owner, carried to all ranks by a decision.</summary>
public enum StepControl
{
    GoOn,

    /// <summary>Write a checkpoint after the step, then end.</summary>
    CheckpointAndStop,

    /// <summary>End after the step without a checkpoint.</summary>
    Stop,
}
