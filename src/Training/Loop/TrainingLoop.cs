using System.Security.Cryptography;
using System.Text;
using Distributed.Core.Checkpoints;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;
using Distributed.Training.Checkpoints;
using Distributed.Training.Data;
using Distributed.Training.Exchange;
using Distributed.Training.Native;
using Distributed.Training.Ranks;

namespace Distributed.Training.Loop;

/// <summary>A job from its first step to its end, as the ranks of one silo walk through it together.</summary>
/// <remarks>Every branch is a function of the job, the step and the decision, so all ranks take the same one.</remarks>
internal sealed partial class TrainingLoop(
    SessionOptions options, IStepDecider decider, IEventSink events, TimeProvider time, IExchangeFactory exchange) : IDisposable
{
    private readonly CheckpointStore store = new(options.CheckpointDirectory, options.Spec.Checkpoint.Keep, options.CheckpointWriter);
    private JobRuntime? job;
    private StepReporter? reporter;
    private Evaluator? evaluator;
    private readonly List<TrainingStep> ranks = [];
    private readonly Lock gate = new();
    private IGradientExchange? connected;
    private JobError? aborted;
    private string? lastCheckpoint;

    private bool IsLead => options.IsLead;

    /// <value>Where equal bits can be expected.</value>
    private string Fingerprint => $"{NativeRuntime.Initialize().Fingerprint}; {options.Spec.Workers.IntraOpThreads} thread(s) a rank";

    /// <summary>One rank's walk, on its own thread.</summary>
    public RankEnding Train(int index, RankBarrier barrier, RankPhase phase)
    {
        barrier.Meet(index, "start", 0, () => Prepare(barrier));
        var rank = new TrainingStep(job!, barrier, index, phase, decider, reporter!);
        lock (ranks) ranks.Add(rank);
        try
        {
            return Walk(rank, index);
        }
        finally
        {
            rank.Gradients.StopPrefetch();
        }
    }

    /// <summary>Ends the exchange's waits and tells the other silos why; by any thread.</summary>
    public void Abort(JobError reason)
    {
        lock (gate)
        {
            aborted ??= reason;
            connected?.Abort(reason);
        }
    }

    /// <summary>Frees what the ranks share and what they read of each other; after the last of them has ended.</summary>
    public void Dispose()
    {
        foreach (var rank in ranks) rank.Dispose();
        ranks.Clear();
        lock (gate) connected = null;
        job?.Dispose();
        job = null;
    }

    private RankEnding Walk(TrainingStep rank, int index)
    {
        rank.Meet("start", 0);
        var total = job!.TotalSteps;
        if (options.StopAt > 0 && job.State.Step >= options.StopAt) return Stop(rank, job.State.Step);
        if (job.State.Step >= total) Evaluate(rank, index, job.State.Step);
        for (var step = job.State.Step + 1; step <= total; step++)
        {
            var control = rank.Run(step);
            if (job.IsEvaluated(step)) Evaluate(rank, index, step);
            // A wish to stop that comes at the last step is fulfilled by its end; a step named beforehand is obeyed.
            if (step == total) control = StepControl.GoOn;
            if (step == options.StopAt) control = StepControl.CheckpointAndStop;
            if (control == StepControl.CheckpointAndStop || job.IsSaved(step)) rank.Meet("checkpoint", step, Save);
            if (control != StepControl.GoOn) return Stop(rank, step);
        }
        rank.Meet("complete", total, Complete);
        return RankEnding.Completed;
    }

    private void Prepare(RankBarrier barrier)
    {
        List<string> warnings = [];
        Checkpoint? resumed;
        try
        {
            resumed = StartPoint.Find(store, options, IsLead, warnings.Add);
            job = JobRuntime.Build(options, barrier);
            Publish(() => new DataEvent(job.Data.Summary));
        }
        finally
        {
            // What was read comes first: it belongs to the start.
            foreach (var warning in warnings.Concat(job?.Data.Warnings ?? [])) Publish(() => new WarningEvent(warning));
        }
        if (resumed is not null)
        {
            lastCheckpoint = resumed.Path;
            var saved = TrainingCheckpoint.Load(resumed, job);
            if (job.State.Step > job.TotalSteps)
                throw new JobException(
                    ErrorCodes.ResumeMismatch,
                    $"{resumed.Path} is at step {job.State.Step}, but the job ends at step {job.TotalSteps}. Raise steps or epochs.");
            if (saved != Fingerprint)
                Publish(() => new WarningEvent(
                    $"{resumed.Path} was written on \"{saved}\", this run is on \"{Fingerprint}\": the results are valid, "
                    + "but not bitwise those of a run that never moved."));
        }
        else if (options.Spec.Model.Weights is { } weights)
        {
            foreach (var note in WarmStart.Load(weights, job.Replica)) Warn(note);
        }
        job.Replica.RefreshAll();
        Connect();
        reporter = new StepReporter(job, events, time);
        if (IsLead && job.Data.Test is { } test) evaluator = new Evaluator(job, test);
    }

    /// <summary>Opens the exchange once the silo stands where the others must stand too.</summary>
    private void Connect()
    {
        job!.Connect(
            exchange,
            $"{Fingerprint}; {job.Layout.ParameterCount} parameters; {job.TotalSteps} steps; data: {job.Data.Summary}; "
            + $"from step {job.State.Step} with weights {WeightsHash.Compute(job.Replica)[..16]}; job {SpecDigest()}");
        lock (gate)
        {
            connected = job.Exchange;
            if (aborted is { } reason) connected.Abort(reason);
        }
        job.OpenStep(job.FirstStep);
    }

    /// <summary>What decides the weights, in few characters.</summary>
    private string SpecDigest()
    {
        // Where files lie may differ from machine to machine.
        var placeless = options.Spec with
        {
            Data = options.Spec.Data with { Path = null },
            Model = options.Spec.Model with { Weights = null },
            Checkpoint = new CheckpointSpec { EverySteps = options.Spec.Checkpoint.EverySteps },
        };
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(JobSpecJson.Write(placeless))))[..16];
    }

    private void Warn(string? message)
    {
        if (message is not null) Publish(() => new WarningEvent(message));
    }

    private void Publish(Func<JobEvent> jobEvent)
    {
        if (IsLead) events.Publish(jobEvent());
    }
}
