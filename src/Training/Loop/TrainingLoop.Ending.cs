using Distributed.Core.Events;
using Distributed.Training.Checkpoints;
using Distributed.Training.Native;

namespace Distributed.Training.Loop;

/// <summary>What a run comes to between its steps and after them: evaluations, checkpoints, its end.</summary>
internal sealed partial class TrainingLoop
{
    private IReadOnlyDictionary<string, double>? metrics;

    private void Evaluate(TrainingStep rank, int index, long step)
    {
        if (evaluator is null) return;
        rank.Meet("evaluate", step);
        evaluator.Run(index, rank.Gradients.Leaves);
        rank.Meet("evaluate", step, () =>
        {
            HostAllocator.Trim();
            metrics = evaluator.Metrics();
            events.Publish(new EvalEvent(step, metrics));
            if (step < job!.TotalSteps && FiniteState.Fault(metrics) is { } fault)
                events.Publish(new WarningEvent($"The evaluation after step {step} gives {fault}. If the last one does too, the job fails; "
                    + "lower optimizer.lr or set clipNorm."));
            reporter!.Pause();
        });
    }

    private void Save()
    {
        FiniteState.Demand(job!);
        if (!IsLead) return;
        lastCheckpoint = TrainingCheckpoint.Save(store, job!, Fingerprint, () => decider.Confirm(job!.State.Step));
        events.Publish(new CheckpointEvent(job!.State.Step, lastCheckpoint));
        reporter!.Pause();
    }

    private void Complete()
    {
        if (metrics is not null) FiniteState.Demand(metrics, job!.TotalSteps, lastCheckpoint);
        Warn(SkipWarnings.AtTheEnd(job!.State));
        Publish(() => reporter!.Completed(lastCheckpoint ?? ""));
    }

    private RankEnding Stop(TrainingStep rank, long step)
    {
        rank.Meet("stop", step, () =>
        {
            Warn(SkipWarnings.AtTheEnd(job!.State));
            Publish(() => new StoppedEvent(step, WeightsHash.Compute(job!.Replica), lastCheckpoint));
        });
        return RankEnding.Stopped;
    }
}
