using System.Diagnostics;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;

namespace Distributed.Training.Data;

/// <summary>Prepares a rank's micro-batches on a thread of its own, up to two steps ahead, in the order in which they are taken.</summary>
/// <remarks>
/// Buffers are allocated once and go round. One thread takes and returns; <see cref="Dispose"/> frees all buffers, taken ones too.
/// </remarks>
internal sealed class BatchPrefetcher : IDisposable
{
    private const int StepsAhead = 2;

    /// <summary>One that is taken, one that is filled.</summary>
    private const int FewestBuffers = 2;

    /// <summary>More hide no longer pause of a file system than a step of so many has micro-batches.</summary>
    private const int MostBuffers = 256;

    /// <summary>Of all buffers of a rank, but for the fewest.</summary>
    private const long MostBytes = 64L << 20;

    private readonly Lock gate = new();
    private readonly SemaphoreSlim readyCount = new(0);
    private readonly SemaphoreSlim freeCount;
    private readonly Queue<HostBatch> ready;
    private readonly Queue<HostBatch> free;
    private readonly HostBatch[] buffers;
    private readonly IDataSplit split;
    private readonly SamplePlan plan;
    private readonly PrefetchRange range;
    private readonly ImageLayout layout;
    private readonly long? augmentSeed;
    private readonly Thread thread;
    private readonly CancellationTokenSource ending = new();
    private JobException? failure;
    private long nextStep;
    private int nextMicroBatch;

    /// <param name="augmentSeed">The job's seed; null: no augmentation.</param>
    public BatchPrefetcher(IDataSplit split, SamplePlan plan, PrefetchRange range, ImageLayout layout, long? augmentSeed)
    {
        (this.split, this.plan, this.range, this.layout, this.augmentSeed) = (split, plan, range, layout, augmentSeed);
        (nextStep, nextMicroBatch) = (range.FirstStep, range.Start);
        buffers = new HostBatch[Buffers(range.End - range.Start, (split.Input.Bytes + split.Label.Bytes) * range.MicroBatchSize)];
        for (var i = 0; i < buffers.Length; i++)
            buffers[i] = new HostBatch(new(split.Input.Bytes * range.MicroBatchSize), new(split.Label.Bytes * range.MicroBatchSize));
        free = new Queue<HostBatch>(buffers);
        ready = new Queue<HostBatch>(buffers.Length);
        freeCount = new SemaphoreSlim(buffers.Length);
        thread = new Thread(Produce) { IsBackground = true, Name = $"prefetch {range.Start}-{range.End}" };
        thread.Start();
    }

    /// <summary>
    /// How many micro-batches are read ahead: what somebody wrote into a job bounds neither memory nor the time to the first step.
    /// </summary>
    /// <param name="perStep">Micro-batches of a step of this rank.</param>
    /// <param name="bytes">Of one micro-batch.</param>
    internal static int Buffers(int perStep, long bytes) =>
        (int)Math.Clamp(Math.Min((long)StepsAhead * perStep, MostBytes / Math.Max(1, bytes)), FewestBuffers, MostBuffers);

    /// <summary>The next micro-batch in order; blocks until it is ready.</summary>
    /// <exception cref="JobException"><c>deadline</c> naming step and micro-batch, or whatever the data set reported.</exception>
    /// <exception cref="InvalidOperationException">All micro-batches of the range were taken.</exception>
    public HostBatch Take(TimeSpan deadline)
    {
        if (nextStep > range.LastStep || range.Start >= range.End) throw new InvalidOperationException("All micro-batches were taken.");
        if (!readyCount.Wait(deadline))
        {
            throw new JobException(
                ErrorCodes.Deadline,
                $"Micro-batch {nextMicroBatch} of step {nextStep} was not read within {deadline.TotalSeconds:0.###} s; "
                + "is the data's file system slow or gone?");
        }

        HostBatch batch;
        lock (gate)
        {
            if (ready.Count == 0) throw FailureForEveryTaker();
            batch = ready.Dequeue();
        }

        Debug.Assert(batch.Step == nextStep && batch.MicroBatch == nextMicroBatch, "The ring hands out micro-batches in order.");
        Advance(ref nextStep, ref nextMicroBatch);
        return batch;
    }

    /// <summary>Gives a taken buffer back to be filled anew.</summary>
    public void Return(HostBatch batch)
    {
        lock (gate) free.Enqueue(batch);
        freeCount.Release();
    }

    public void Dispose()
    {
        if (ending.IsCancellationRequested) return;
        ending.Cancel();
        thread.Join();
        foreach (var buffer in buffers)
        {
            buffer.InputMemory.Dispose();
            buffer.LabelMemory.Dispose();
        }

        ending.Dispose();
        readyCount.Dispose();
        freeCount.Dispose();
    }

    private JobException FailureForEveryTaker()
    {
        readyCount.Release();
        return new JobException(failure!.Code, failure.Message, failure);
    }

    private void Produce()
    {
        try
        {
            ProduceAll();
        }
        catch (OperationCanceledException)
        {
            // Disposed: nobody waits any more.
        }
        catch (JobException e)
        {
            Fail(e);
        }
        catch (Exception e)
        {
            // The top of a thread: an unforeseen fault must reach the rank instead of ending the process.
            Fail(new JobException(ErrorCodes.Internal, $"Reading data failed: {e.Message}", e));
        }
    }

    private void ProduceAll()
    {
        var samples = new int[range.MicroBatchSize];
        var (step, microBatch) = (range.FirstStep, range.Start);
        while (step <= range.LastStep && range.Start < range.End)
        {
            freeCount.Wait(ending.Token);
            HostBatch batch;
            lock (gate) batch = free.Dequeue();
            FillBatch(batch, step, microBatch, samples);
            lock (gate) ready.Enqueue(batch);
            readyCount.Release();
            Advance(ref step, ref microBatch);
        }
    }

    private void FillBatch(HostBatch batch, long step, int microBatch, Span<int> samples)
    {
        var items = plan.Fill(step, microBatch, samples);
        (batch.Step, batch.MicroBatch, batch.Items) = (step, microBatch, items);
        if (items == 0) return;
        CounterRandom? augment = augmentSeed is { } seed ? new CounterRandom(seed, RandomPurpose.Augment, step, microBatch) : null;
        split.Fill(
            samples[..items],
            batch.InputMemory.Slice(0, checked((int)batch.InputMemory.Bytes)),
            batch.LabelMemory.Slice(0, checked((int)batch.LabelMemory.Bytes)),
            layout,
            augment);
    }

    private void Fail(JobException e)
    {
        lock (gate) failure = e;
        readyCount.Release();
    }

    private void Advance(ref long step, ref int microBatch)
    {
        if (++microBatch < range.End) return;
        microBatch = range.Start;
        step++;
    }
}
