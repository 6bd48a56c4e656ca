using System.Diagnostics;
using Distributed.Core.Canonical;
using Distributed.Core.Samples;
using Distributed.Training.Data;
using Distributed.Training.Exchange;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Ranks;
using Distributed.Training.Reduction;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>
/// One rank's micro-batches of a step: data, forward, backward, and their gradients merged as far as they are neighbours
/// in the canonical tree.
/// </summary>
internal sealed class RankGradients : IDisposable
{
    private readonly JobRuntime job;
    private readonly RankBarrier barrier;
    private readonly RankPhase phase;
    private readonly MicroBatchRun run;
    private readonly Tensor[] leaves;
    private readonly GradientAccumulator accumulator;
    private readonly BucketProgress progress;
    private readonly bool hooked;
    private readonly EarlyGradients? early;
    private readonly BatchPrefetcher prefetcher;
    private readonly Generator dropoutGenerator = new(0);
    private readonly DropoutMask dropout;
    private readonly GraphCuts cuts = new();
    private bool isLast;
    private double dataSeconds, forwardSeconds, backwardSeconds;

    /// <param name="index">Place among the silo's ranks.</param>
    /// <param name="phase">Kept up to date with what this rank is doing, for messages.</param>
    public RankGradients(JobRuntime job, RankBarrier barrier, int index, RankPhase phase)
    {
        this.job = job;
        this.barrier = barrier;
        this.phase = phase;
        run = job.Runs[job.Options.Ranks[index].Rank.Value];
        leaves = job.Replica.CreateLeaves();
        accumulator = new GradientAccumulator(job.Layout, job.Device);
        job.ExchangeJob.Partials[index] = accumulator.Partials;
        progress = new BucketProgress(job.Exchange.Buckets, job.Ranges, leaves.Length, job.Gate);
        hooked = job.Exchange.Buckets.Count > 0 && job.Spec.Workers.Overlap && NativeRuntime.HasGradientHooks;
        if (hooked) early = EarlyGradients.For(job, leaves, accumulator, progress);
        for (var i = 0; hooked && i < leaves.Length; i++) Hook(i);
        dropout = new DropoutMask(job.Model.Dropout, job.Model.Dropout > 0 ? dropoutGenerator : null);
        prefetcher = new BatchPrefetcher(
            job.Data.Train, job.Plan, new PrefetchRange(run.Start, run.End, job.State.Step + 1, job.TotalSteps, job.Spec.MicroBatch),
            job.Model.InputLayout, job.Spec.Augment is null ? null : job.Spec.Seed);
    }

    /// <summary>The rank's leaves, for evaluation.</summary>
    public IReadOnlyList<Tensor> Leaves => leaves;

    /// <summary>Computes the step's gradients; buckets that are final in all ranks of the silo leave on the way.</summary>
    /// <returns>Seconds for data, forward and backward.</returns>
    public (double Data, double Forward, double Backward) Compute(long step)
    {
        dataSeconds = forwardSeconds = backwardSeconds = 0;
        for (var i = run.Start; i < run.End; i++) RunMicroBatch(step, i);
        return (dataSeconds, forwardSeconds, backwardSeconds);
    }

    /// <summary>Gives the gradients back; when the whole reduced gradient is there.</summary>
    public void Clear() => accumulator.Clear();

    /// <summary>Ends the reading ahead; by the rank's own thread.</summary>
    public void StopPrefetch() => prefetcher.Dispose();

    /// <summary>Frees gradients that other ranks may have been reading; once they have all ended.</summary>
    public void Dispose()
    {
        for (var i = 0; hooked && i < leaves.Length; i++) GradientHook.Clear(leaves[i]);
        accumulator.Dispose();
        dropoutGenerator.Dispose();
        foreach (var leaf in leaves) leaf.Dispose();
    }

    /// <summary>Takes the gradient of a leaf while backward still works on the others.</summary>
    private void Hook(int parameter) => GradientHook.Set(leaves[parameter], () =>
    {
        accumulator.Take(parameter, leaves[parameter]);
        if (isLast) progress.Ready(parameter);
    });

    private void RunMicroBatch(long step, int microBatch)
    {
        barrier.ThrowIfBroken();
        phase.Name = "data";
        var started = Stopwatch.GetTimestamp();
        var batch = prefetcher.Take(job.Options.StepDeadline);
        dataSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        accumulator.Begin(microBatch);
        isLast = microBatch == run.End - 1;
        if (isLast) progress.Begin();
        if (batch.Items == 0)
        {
            job.Reduced.Losses[microBatch] = 0;
            accumulator.EndEmpty();
        }
        else
        {
            using var scope = NewDisposeScope();
            ForwardAndBackward(step, microBatch, batch);
            accumulator.End(leaves);
        }
        if (isLast) progress.End();
        prefetcher.Return(batch);
    }

    private void ForwardAndBackward(long step, int microBatch, HostBatch batch)
    {
        phase.Name = "forward";
        var started = Stopwatch.GetTimestamp();
        var (inputs, labels) = BatchTensors.Upload(
            job.Device, job.Data.Train, job.Model.InputLayout, batch.Inputs, batch.Labels, batch.Items);
        if (job.Model.Dropout > 0)
            dropoutGenerator.manual_seed((long)new CounterRandom(job.Spec.Seed, RandomPurpose.Dropout, step, microBatch).NextUInt64());
        // Bits were tried with whole micro-batches, and only the last one's gradients leave at once.
        var ahead = isLast && batch.Items == job.Spec.MicroBatch ? early : null;
        Tensor loss;
        using (job.Precision.Forward(job.Device.Type))
            loss = job.Model.Loss.Sum(ahead?.Forward(leaves, inputs, dropout) ?? Forward(inputs), labels);
        job.Reduced.Losses[microBatch] = job.Device.Read(loss);
        var middle = Stopwatch.GetTimestamp();
        forwardSeconds += Stopwatch.GetElapsedTime(started, middle).TotalSeconds;

        phase.Name = "backward";
        // Held: a number that TorchSharp wraps on the way may be collected while the native call still reads it.
        using Scalar factor = (float)((double)job.State.LossScale.Scale / job.Spec.MicroBatch);
        (loss * factor).backward();
        ahead?.Backward(leaves);
        cuts.Backward();
        if (hooked) GradientHook.ThrowIfRaised();
        backwardSeconds += Stopwatch.GetElapsedTime(middle).TotalSeconds;
    }

    private Tensor Forward(Tensor inputs)
    {
        cuts.Clear();
        return job.Model is ICutModel model ? model.Forward(leaves, inputs, dropout, cuts) : job.Model.Forward(leaves, inputs, dropout);
    }
}
