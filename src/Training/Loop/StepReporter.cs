using Distributed.Core.Events;
using Distributed.Training.Checkpoints;

namespace Distributed.Training.Loop;

/// <summary>Makes a job's events from what the step left on the board, and keeps the run's totals.</summary>
internal sealed class StepReporter(JobRuntime job, TimeProvider time)
{
    private long stepStarted = time.GetTimestamp();
    private double seconds;
    private long items;
    private double lastLoss = double.NaN;

    /// <summary>The event of the step just applied or skipped.</summary>
    public StepEvent Step()
    {
        var board = job.Board;
        var (vote, decision) = (board.Vote!, board.Decision!);
        var now = time.GetTimestamp();
        var took = time.GetElapsedTime(stepStarted, now).TotalSeconds;
        stepStarted = now;
        seconds += took;
        items += vote.Items;
        lastLoss = vote.LossSum / vote.Items;
        var lead = board.Phases[0];
        var phases = lead with
        {
            Data = board.Phases.Max(p => p.Data),
            Forward = board.Phases.Max(p => p.Forward),
            Backward = board.Phases.Max(p => p.Backward),
        };
        return new StepEvent(
            vote.Step, job.Plan.EpochOf(vote.Step), lastLoss, vote.Items, decision.LearningRate, decision.After.Scaling.Scale,
            decision.After.Scaling.GrowthTracker, !decision.Commit, decision.After.Updates, Math.Sqrt(vote.NormSquared), job.Options.Generation,
            took, phases)
        { NonFinite = vote.NonFinite };
    }

    /// <summary>What lies between the last step and now counts for no step.</summary>
    public void Pause() => stepStarted = time.GetTimestamp();

    public CompletedEvent Completed(string checkpoint) => new(
        job.State.Step, lastLoss, WeightsHash.Compute(job.Replica), job.State.SkippedSteps, seconds, seconds > 0 ? items / seconds : 0, checkpoint);
}
