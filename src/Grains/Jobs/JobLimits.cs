using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Core.Values;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>
/// How long a job has waited and run, and what follows when that is longer than it may; decided without a clock of its own.
/// </summary>
internal static class JobLimits
{
    /// <summary>Notes when a phase was entered and adds up how long the ranks ran.</summary>
    /// <remarks>A job that comes back goes on counting; one that is resumed, by its owner's wish, begins anew.</remarks>
    public static JobState Follow(JobState before, JobState after, DateTimeOffset now)
    {
        if (before.Phase == after.Phase) return after;
        var ran = before.Phase.IsFinal() && after.Phase == JobPhase.Queued ? TimeSpan.Zero
            : before.Phase == JobPhase.Running ? before.Ran + InPhase(before, now)
            : before.Ran;
        return after with { Entered = now, Ran = ran };
    }

    /// <returns>Time until <see cref="Expire"/> has something to do; null: never in this phase.</returns>
    public static TimeSpan? Left(JobState state, JobBounds bounds, DateTimeOffset now)
    {
        var left = state switch
        {
            { Entered: null } => null,
            { Phase: JobPhase.Queued } => bounds.Queued - InPhase(state, now),
            { Phase: JobPhase.Running, EndBy: { } end } => end - now,
            { Phase: JobPhase.Running, Overdue: null, StopAsked: false } => bounds.Run - state.Ran - InPhase(state, now),
            _ => null,
        };
        return left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    /// <summary>
    /// Ends a job that is over its limit: a waiting one at once, a running one after the step in flight, with a checkpoint, and when that
    /// takes too long without one.
    /// </summary>
    /// <param name="step">The last step that was reported; 0 before the first.</param>
    /// <param name="patience">How long the step in flight and the checkpoint may take.</param>
    public static JobTransition Expire(JobState state, JobBounds bounds, DateTimeOffset now, long step, TimeSpan patience)
    {
        if (Left(state, bounds, now) != TimeSpan.Zero) return JobTransition.None(state);
        if (state is { Phase: JobPhase.Running, EndBy: not null }) return JobLifecycle.Cut(state, step);
        if (state.Phase == JobPhase.Queued)
        {
            var waited = Error(
                $"It waited in the queue for {DurationText.Write(bounds.Queued!.Value)}, the limit that the job sets in limits.queued.",
                step);
            return new(
                state with { Phase = JobPhase.Failed, Failure = waited, Requeue = null },
                [new JobEffect.Log(EventLine.Of(new FailedEvent(waited))), new JobEffect.Release()]);
        }

        const StepControl control = StepControl.CheckpointAndStop;
        var ran = Error($"It ran for {DurationText.Write(bounds.Run!.Value)}, {bounds.RunSetBy}.", step);
        return new(
            state with
            {
                Overdue = ran,
                Requested = control > state.Requested ? control : state.Requested,
                EndBy = state.Requeues ? now + patience : null,
            },
            [new JobEffect.RequestStop(control), new JobEffect.Note($"{ran.Message} It writes a checkpoint and ends.")]);
    }

    /// <summary>
    /// Ends a job whose user has as much on disk as he may have: after the step in flight, and without another checkpoint.
    /// </summary>
    /// <param name="why">As the queue says it.</param>
    public static JobTransition Overfill(JobState state, string why, DateTimeOffset now, long step, TimeSpan patience)
    {
        if (state is not { Phase: JobPhase.Running, Overdue: null, StopAsked: false, Requeue: null }) return JobTransition.None(state);
        const StepControl control = StepControl.Stop;
        var full = Error($"Its checkpoints and events are too large: {why}", step) with { Code = ErrorCodes.Quota };
        return new(
            state with { Overdue = full, Requested = control, EndBy = state.Requeues ? now + patience : null },
            [new JobEffect.RequestStop(control),
                new JobEffect.Note($"{full.Message} It ends after the step in flight, at its last checkpoint.")]);
    }

    /// <summary>How much of its limit a waiting or running job has used.</summary>
    /// <returns>Empty: it has none.</returns>
    public static string Describe(JobState state, JobBounds bounds, DateTimeOffset now) => state.Phase switch
    {
        JobPhase.Queued when bounds.Queued is { } most =>
            $"has waited {DurationText.Describe(InPhase(state, now))} of {DurationText.Write(most)} (limits.queued)",
        JobPhase.Running when bounds.Run is { } most => $"has run {DurationText.Describe(state.Ran + InPhase(state, now))} of "
            + $"{DurationText.Write(most)} ({(bounds.RunIsItsOwn ? "limits.run" : "the operator's limit")})",
        _ => "",
    };

    private static TimeSpan InPhase(JobState state, DateTimeOffset now) =>
        state.Entered is { } entered && now > entered ? now - entered : TimeSpan.Zero;

    private static JobError Error(string message, long step) =>
        new(ErrorCodes.LimitExceeded, message, null, null, null, step > 0 ? step : null);
}
