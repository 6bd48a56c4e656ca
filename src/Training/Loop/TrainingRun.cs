using System.Diagnostics;
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

namespace Distributed.Training.Loop;

/// <summary>A job from its first step to its end, as the ranks of one silo walk through it together.</summary>
/// <remarks>Every branch is a function of the job, the step and the decision, so all ranks take the same one.</remarks>
internal sealed partial class TrainingRun(SessionOptions options, IStepDecider decider, IEventSink events, TimeProvider time, IExchangeFactory? exchange) : IDisposable
{
    private readonly CheckpointStore store = new(options.CheckpointDirectory, options.Spec.Checkpoint.Keep, options.CheckpointWriter);
    private JobRuntime? job;
    private StepReporter? reporter;
    private Evaluator? evaluator;
    private readonly List<RankWorker> workers = [];
    private readonly Lock gate = new();
    private IGradientExchange? connected;
    private JobError? aborted;
    private string? lastCheckpoint;
    private long firstStep;

    /// <summary>Step deadlines that the lead silo's work for all (reading data, evaluating, saving) may take.</summary>
    private const int LeadWork = 12;

    /// <value>This silo holds rank 0: it alone evaluates, writes checkpoints and reports.</value>
    private bool IsLead => options.Ranks[0].Rank.Value == 0;

    /// <value>Where equal bits can be expected.</value>
    private string Fingerprint => $"{NativeRuntime.Initialize().Fingerprint}; {options.Spec.Workers.IntraOpThreads} thread(s) a rank";

    /// <summary>One rank's walk, on its own thread.</summary>
    public RankEnding Train(int index, RankBarrier barrier, RankPhase phase)
    {
        barrier.Meet(index, "start", 0, Prepare);
        var worker = new RankWorker(job!, barrier, index, phase);
        lock (workers) workers.Add(worker);
        try
        {
            return Walk(worker, index);
        }
        finally
        {
            worker.StopPrefetch();
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
        foreach (var worker in workers) worker.Dispose();
        workers.Clear();
        lock (gate) connected = null;
        job?.Dispose();
        job = null;
    }

    private RankEnding Walk(RankWorker worker, int index)
    {
        worker.Meet("start", 0);
        var total = job!.TotalSteps;
        if (options.StopAt > 0 && job.State.Step >= options.StopAt) return Stop(worker, job.State.Step);
        if (job.State.Step >= total) Evaluate(worker, index, job.State.Step);
        for (var step = job.State.Step + 1; step <= total; step++)
        {
            worker.Step(step, Exchange, Decide, Finish);
            var control = job.Board.Decision!.Control;
            if (step == total || IsDue(step, options.Spec.Evaluate?.EverySteps)) Evaluate(worker, index, step);
            // A wish to stop that comes at the last step is fulfilled by its end; a step named beforehand is obeyed.
            if (step == total) control = StepControl.GoOn;
            if (step == options.StopAt) control = StepControl.CheckpointAndStop;
            if (step == total || control == StepControl.CheckpointAndStop || IsDue(step, options.Spec.Checkpoint.EverySteps))
                worker.Meet("checkpoint", step, Save);
            if (control != StepControl.GoOn) return Stop(worker, step);
        }
        worker.Meet("complete", total, Complete);
        return RankEnding.Completed;
    }

    private static bool IsDue(long step, long? every) => every is { } k && step % k == 0;

    private void Prepare()
    {
        List<string> warnings = [];
        Checkpoint? resumed;
        try
        {
            resumed = StartPoint.Find(store, options, IsLead, warnings.Add);
            job = JobRuntime.Build(options);
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
                    ErrorCodes.ResumeMismatch, $"{resumed.Path} stands at step {job.State.Step}, but the job ends at step {job.TotalSteps}. Raise steps or epochs.");
            if (saved != Fingerprint)
                Publish(() => new WarningEvent(
                    $"{resumed.Path} was written on \"{saved}\", this run is on \"{Fingerprint}\": the results are valid, but not bitwise those of a run that never moved."));
        }
        else if (options.Spec.Model.Weights is { } weights)
        {
            foreach (var note in WarmStart.Load(weights, job.Replica)) Warn(note);
        }
        job.Replica.RefreshAll();
        Connect();
        firstStep = job.State.Step + 1;
        reporter = new StepReporter(job, time);
        if (IsLead && job.Data.Test is { } test) evaluator = new Evaluator(job, test);
    }

    /// <summary>Opens the exchange once the silo stands where the others must stand too.</summary>
    private void Connect()
    {
        if (job!.Buffers is not { } buffers) return;
        buffers.Silos = buffers.Silos with
        {
            Fingerprint = $"{Fingerprint}; {job.Layout.ParameterCount} parameters; {job.TotalSteps} steps; data: {job.Data.Summary}; from step {job.State.Step} with weights {WeightsHash.Compute(job.Replica)[..16]}; job {SpecDigest()}",
        };
        job.Connect(exchange);
        lock (gate)
        {
            connected = job.Gate!.Exchange;
            if (aborted is { } reason) connected.Abort(reason);
        }
        OpenStep(job.State.Step + 1);
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

    private void OpenStep(long step)
    {
        if (step <= job!.TotalSteps) job.Gate?.Begin(step, job.FactorsOf(step));
    }

    private void Exchange()
    {
        var step = job!.State.Step + 1;
        // After the start, an evaluation or a checkpoint the lead silo may come late for good reason.
        var slack = step == firstStep || IsDue(step - 1, options.Spec.Evaluate?.EverySteps) || IsDue(step - 1, options.Spec.Checkpoint.EverySteps);
        reporter!.WriteReport(job.Buffers!.OwnReport);
        job.Gate!.Exchange.Complete(slack ? LeadWork * options.StepDeadline : options.StepDeadline);
        job.Board.FoundInf[0] = job.Buffers.FoundInf;
        job.Board.ExchangeSeconds = Stopwatch.GetElapsedTime(job.Gate.FirstReady).TotalSeconds;
    }

    private void Warn(string? message)
    {
        if (message is not null) Publish(() => new WarningEvent(message));
    }

    private void Publish(Func<JobEvent> jobEvent)
    {
        if (IsLead) events.Publish(jobEvent());
    }

    private void Decide()
    {
        var board = job!.Board;
        var found = Array.Exists(board.FoundInf, f => f);
        var norm = board.NormSquared();
        var culprit = found || !double.IsFinite(norm) ? FiniteState.First(job.Layout, job.Replica.Reduced) : null;
        var items = job.Plan.ItemsOf(job.State.Step + 1);
        board.Vote = new StepVote(options.Generation, job.State, found || !double.IsFinite(norm), norm, board.LossSum(), items, culprit);
        var decision = decider.Decide(board.Vote, job.TotalSteps);
        if (decision.Failure is { } failure) throw new JobException(ErrorCodes.NonFinite, failure);
        board.Decision = decision;
    }

    private void Finish()
    {
        var decision = job!.Board.Decision!;
        var before = job.State.Skips.Unexplained;
        if (decision.Commit) job.Optimizer.CountUpdate(job.Board.Touched);
        job.State = decision.After;
        OpenStep(job.State.Step + 1);
        Publish(reporter!.Step);
        if (before == 0) Warn(SkipWarnings.AtTheFirst(job.Board.Vote!, job.State));
    }
}
