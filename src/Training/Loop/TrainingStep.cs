using System.Diagnostics;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Training.Optim;
using Distributed.Training.Ranks;

namespace Distributed.Training.Loop;

/// <summary>One optimizer step of one rank, from its micro-batches to its run of the update. The same for one silo and for many.</summary>
/// <remarks>
/// What only one rank of the silo does (vote, close) is done by the last to arrive at a meeting, while the others wait; what they
/// leave for each other is on the <see cref="StepBoard"/>.
/// </remarks>
internal sealed class TrainingStep : IDisposable
{
    /// <summary>Step deadlines that the lead silo's work for all (reading data, evaluating, saving) may take.</summary>
    private const int LeadWork = 12;

    private readonly JobRuntime job;
    private readonly RankBarrier barrier;
    private readonly int index;
    private readonly RankPhase phase;
    private readonly IStepDecider decider;
    private readonly StepReporter reporter;
    private readonly OwnerUpdate update;

    /// <param name="index">Place among the silo's ranks.</param>
    /// <param name="phase">Kept up to date with what this rank is doing, for messages.</param>
    public TrainingStep(JobRuntime job, RankBarrier barrier, int index, RankPhase phase, IStepDecider decider, StepReporter reporter)
    {
        (this.job, this.barrier, this.index, this.phase, this.decider, this.reporter) = (job, barrier, index, phase, decider, reporter);
        Gradients = new RankGradients(job, barrier, index, phase);
        update = new OwnerUpdate(job.Replica, job.Optimizer, job.Owners[index]);
    }

    public RankGradients Gradients { get; }

    /// <summary>One attempted step; returns when every rank of the silo has applied or skipped it.</summary>
    /// <returns>What the job does next.</returns>
    public StepControl Run(long step)
    {
        var board = job.Board;
        phase.Step = step;
        if (index == 0) board.Started = Stopwatch.GetTimestamp();

        // Micro-batches: each rank its own, merged in the canonical tree.
        var (data, forward, backward) = Gradients.Compute(step);

        // Reduce: the sum over all ranks of the job, checked, unscaled to the mean.
        var reduceStarted = Stopwatch.GetTimestamp();
        phase.Name = "exchange";
        job.Exchange.Reduce(index, Patience(step));

        // Vote: one for each silo, when it holds the whole reduced gradient. Decision: one for all silos.
        var decideStarted = Stopwatch.GetTimestamp();
        Meet("decide", step, () =>
        {
            board.ExchangeSeconds = job.Gate.FirstReady is { } first ? Stopwatch.GetElapsedTime(first).TotalSeconds : null;
            board.Vote = Vote(step);
            board.Decision = decider.Decide(board.Vote, job.TotalSteps);
            if (board.Decision.Failure is { } failure) throw new JobException(ErrorCodes.NonFinite, failure);
        });

        // Apply: each rank its run of the weights, or nothing at all.
        var applyStarted = Stopwatch.GetTimestamp();
        phase.Name = "apply";
        Gradients.Clear();
        var decision = board.Decision!;
        if (decision.Commit) update.Apply(decision.ClipCoefficient, decision.LearningRate, job.Reduced.Touched);
        board.Phases[index] = new PhaseSeconds(
            data, forward, backward, Seconds(reduceStarted, decideStarted), Seconds(decideStarted, applyStarted),
            Seconds(applyStarted, Stopwatch.GetTimestamp()));

        // Close: the state moves on, the next step opens, the event goes out.
        Meet("apply", step, () =>
        {
            if (decision.Commit) job.Optimizer.CountUpdate(job.Reduced.Touched);
            job.State = decision.After;
            job.OpenStep(step + 1);
            reporter.Close();
        });
        return decision.Control;
    }

    /// <summary>Waits for the silo's other ranks, naming the phase in case one is missing.</summary>
    public void Meet(string name, long step, Action? last = null)
    {
        phase.Name = name;
        barrier.Meet(index, name, step, last);
    }

    public void Dispose()
    {
        update.Dispose();
        Gradients.Dispose();
    }

    private StepVote Vote(long step)
    {
        var reduced = job.Reduced;
        var norm = reduced.NormSquared();
        var nonFinite = reduced.FoundInf || !double.IsFinite(norm);
        var culprit = nonFinite ? FiniteState.First(job, job.Replica.Reduced) : null;
        return new StepVote(job.Options.Generation, job.State, nonFinite, norm, reduced.LossSum(), job.Plan.ItemsOf(step), culprit);
    }

    /// <summary>After the start, an evaluation or a checkpoint the lead silo may come late for good reason.</summary>
    private TimeSpan Patience(long step)
    {
        var slack = step == job.FirstStep || job.IsEvaluated(step - 1) || job.IsSaved(step - 1);
        return slack ? LeadWork * job.Options.StepDeadline : job.Options.StepDeadline;
    }

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;
}
