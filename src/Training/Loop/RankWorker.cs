using System.Diagnostics;
using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Training.Data;
using Distributed.Training.Exchange;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Optim;
using Distributed.Training.Reduction;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>One rank's part of every step, on its own thread: its micro-batches, its run of the reduction, its run of the update.</summary>
internal sealed class RankWorker : IDisposable
{
    private readonly JobRuntime job;
    private readonly RankBarrier barrier;
    private readonly int index;
    private readonly RankPhase phase;
    private readonly MicroBatchRun run;
    private readonly Tensor[] leaves;
    private readonly GradientAccumulator accumulator;
    private readonly HostReducer reducer;
    private readonly BlockRun owned;
    private readonly BucketProgress? progress;
    private readonly bool hooked;
    private readonly EarlyGradients? early;
    private bool isLast;
    private readonly OwnerUpdate update;
    private readonly BatchPrefetcher prefetcher;
    private readonly Generator dropoutGenerator = new(0);
    private readonly DropoutMask dropout;
    private double dataSeconds, forwardSeconds, backwardSeconds;

    /// <param name="index">Place among the silo's ranks.</param>
    /// <param name="phase">Kept up to date with what this rank is doing, for messages.</param>
    public RankWorker(JobRuntime job, RankBarrier barrier, int index, RankPhase phase)
    {
        this.job = job;
        this.barrier = barrier;
        this.index = index;
        this.phase = phase;
        run = job.Runs[job.Options.Ranks[index].Rank.Value];
        leaves = job.Replica.CreateLeaves();
        accumulator = new GradientAccumulator(job.Layout);
        owned = job.Owners[index];
        reducer = new HostReducer(job.Ranges);
        if (job.Buffers is { } buffers) progress = new BucketProgress(buffers.Plan, job.Ranges, leaves.Length, job.Gate!);
        hooked = progress is not null && job.Spec.Workers.Overlap && NativeRuntime.HasGradientHooks;
        if (hooked) early = EarlyGradients.For(job, leaves, accumulator, progress!);
        for (var i = 0; hooked && i < leaves.Length; i++) Hook(i);
        update = new OwnerUpdate(job.Replica, job.Optimizer, owned);
        dropout = new DropoutMask(job.Spec.Model.Dropout, job.Spec.Model.Dropout > 0 ? dropoutGenerator : null);
        prefetcher = new BatchPrefetcher(
            job.Data.Train, job.Plan, new PrefetchRange(run.Start, run.End, job.State.Step + 1, job.TotalSteps, job.Spec.MicroBatch),
            job.Model.InputLayout, job.Spec.Augment is null ? null : job.Spec.Seed);
    }

    /// <summary>One attempted step; returns when every rank of the silo has applied or skipped it.</summary>
    /// <param name="exchange">Run by the last rank to finish, where there are several silos: waits for the reduced gradient.</param>
    /// <param name="decide">Run by the last rank when the silo holds the whole reduced gradient.</param>
    /// <param name="finish">Run by the last rank when all have applied.</param>
    public void Step(long step, Action exchange, Action decide, Action finish)
    {
        var board = job.Board;
        phase.Step = step;
        dataSeconds = forwardSeconds = backwardSeconds = 0;
        if (index == 0) board.Started = Stopwatch.GetTimestamp();
        board.Partials[index] = accumulator.Partials;
        if (job.Buffers is { } buffers) buffers.Local[index] = accumulator.Partials;
        for (var i = run.Start; i < run.End; i++) RunMicroBatch(step, i);

        var exchangeStarted = Stopwatch.GetTimestamp();
        if (job.Buffers is null)
        {
            Meet("exchange", step, board.Gather);
            board.FoundInf[index] = reducer.Reduce(
                owned, board.Gathered, job.Fold!, job.FactorsOf(step), TensorMemory.Address(job.Replica.Reduced), board.BlockNorms);
        }
        else
        {
            Meet("exchange", step, exchange);
        }
        var decideStarted = Stopwatch.GetTimestamp();
        Meet("decide", step, decide);

        var applyStarted = Stopwatch.GetTimestamp();
        phase.Name = "apply";
        accumulator.Clear();
        var decision = board.Decision!;
        if (decision.Commit) update.Apply(decision.ClipCoefficient, decision.LearningRate, board.Touched);
        board.Phases[index] = new PhaseSeconds(
            dataSeconds, forwardSeconds, backwardSeconds, Seconds(exchangeStarted, decideStarted), Seconds(decideStarted, applyStarted),
            Seconds(applyStarted, Stopwatch.GetTimestamp()));
        Meet("apply", step, finish);
    }

    /// <summary>Waits for the silo's other ranks, naming the phase in case one is missing.</summary>
    public void Meet(string name, long step, Action? last = null)
    {
        phase.Name = name;
        barrier.Meet(index, name, step, last);
    }

    /// <summary>The rank's leaves, for evaluation.</summary>
    public IReadOnlyList<Tensor> Leaves => leaves;

    /// <summary>Ends the reading ahead; by the rank's own thread.</summary>
    public void StopPrefetch() => prefetcher.Dispose();

    /// <summary>Frees gradients that other ranks may have been reading; once they have all ended.</summary>
    public void Dispose()
    {
        for (var i = 0; hooked && i < leaves.Length; i++) GradientHook.Clear(leaves[i]);
        update.Dispose();
        reducer.Dispose();
        accumulator.Dispose();
        dropoutGenerator.Dispose();
        foreach (var leaf in leaves) leaf.Dispose();
    }

    /// <summary>Takes the gradient of a leaf while backward still works on the others.</summary>
    private void Hook(int parameter) => GradientHook.Set(leaves[parameter], () =>
    {
        accumulator.Take(parameter, leaves[parameter]);
        if (isLast) progress!.Ready(parameter);
    });

    private void RunMicroBatch(long step, int microBatch)
    {
        barrier.ThrowIfBroken();
        phase.Name = "data";
        var started = Stopwatch.GetTimestamp();
        var batch = prefetcher.Take(job.Options.StepDeadline);
        dataSeconds += Seconds(started, Stopwatch.GetTimestamp());
        accumulator.Begin(microBatch);
        isLast = microBatch == run.End - 1;
        if (isLast) progress?.Begin();
        if (batch.Items == 0)
        {
            job.Board.Losses[microBatch] = 0;
            accumulator.EndEmpty();
        }
        else
        {
            using var scope = NewDisposeScope();
            ForwardAndBackward(step, microBatch, batch);
            accumulator.End(leaves);
        }
        if (isLast) progress?.End();
        prefetcher.Return(batch);
    }

    private void ForwardAndBackward(long step, int microBatch, HostBatch batch)
    {
        phase.Name = "forward";
        var started = Stopwatch.GetTimestamp();
        var (inputs, labels) = BatchTensors.View(job.Data.Train, job.Model.InputLayout, batch.Inputs, batch.Labels, batch.Items);
        if (job.Spec.Model.Dropout > 0)
            dropoutGenerator.manual_seed((long)new CounterRandom(job.Spec.Seed, RandomPurpose.Dropout, step, microBatch).NextUInt64());
        // Bits were tried with whole micro-batches, and only the last one's gradients leave at once.
        var ahead = isLast && batch.Items == job.Spec.MicroBatch ? early : null;
        Tensor loss;
        using (job.Precision.Forward(DeviceType.CPU))
            loss = job.Model.Loss.Sum(ahead?.Forward(leaves, inputs, dropout) ?? job.Model.Forward(leaves, inputs, dropout), labels);
        job.Board.Losses[microBatch] = loss.item<float>();
        var middle = Stopwatch.GetTimestamp();
        forwardSeconds += Seconds(started, middle);

        phase.Name = "backward";
        (loss * (float)((double)job.State.Scaling.Scale / job.Spec.MicroBatch)).backward();
        ahead?.Backward(leaves);
        if (hooked) GradientHook.ThrowIfRaised();
        backwardSeconds += Seconds(middle, Stopwatch.GetTimestamp());
    }

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;
}
