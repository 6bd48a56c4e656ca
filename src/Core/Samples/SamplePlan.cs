using Distributed.Core.Spec;

namespace Distributed.Core.Samples;

/// <summary>Which samples each micro-batch of each step holds: a function of the job alone, the same for any number of ranks.</summary>
/// <remarks>
/// Steps count from 1, epochs from 0. A finite set keeps the short last batch of an epoch: it fills micro-batches in order and leaves
/// the rest empty. An endless one wraps round and has no short batches. Safe for several threads; permutations are shared.
/// </remarks>
public sealed class SamplePlan
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<long, int[]> orders = [];
    private readonly int count;
    private readonly int globalBatch;
    private readonly int microBatch;
    private readonly bool shuffle;
    private readonly bool endless;
    private readonly long seed;

    /// <param name="count">Samples of the set, at least 1.</param>
    /// <param name="globalBatch">Samples of a step; a multiple of <paramref name="microBatch"/>.</param>
    public SamplePlan(int count, int globalBatch, int microBatch, bool shuffle, bool endless, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(microBatch);
        ArgumentOutOfRangeException.ThrowIfNotEqual(globalBatch > 0 ? globalBatch % microBatch : -1, 0, nameof(globalBatch));
        (this.count, this.globalBatch, this.microBatch) = (count, globalBatch, microBatch);
        (this.shuffle, this.endless, this.seed) = (shuffle, endless, seed);
        StepsPerEpoch = (count + (long)globalBatch - 1) / globalBatch;
    }

    /// <summary>The plan of a job's training split.</summary>
    public static SamplePlan For(JobSpec spec, int count, bool endless) =>
        new(count, spec.GlobalBatch, spec.MicroBatch, spec.Shuffle, endless, spec.Seed);

    /// <summary>The plan of one pass in canonical order: steps 1 to <see cref="StepsPerEpoch"/> visit each sample once.</summary>
    public static SamplePlan InOrder(int count, int globalBatch, int microBatch) =>
        new(count, globalBatch, microBatch, shuffle: false, endless: false, seed: 0);

    /// <summary>Steps that visit every sample at least once: count / global batch, rounded up.</summary>
    public long StepsPerEpoch { get; }

    /// <summary>Micro-batches of a step, empty ones included.</summary>
    public int MicroBatches => globalBatch / microBatch;

    /// <summary>The steps a job attempts in all.</summary>
    public long TotalSteps(JobSpec spec)
    {
        if (spec.Steps is { } steps) return steps;
        var epochs = (long)(spec.Epochs ?? 0);
        return endless ? ((epochs * count) + globalBatch - 1) / globalBatch : epochs * StepsPerEpoch;
    }

    /// <summary>The epoch of a step's first sample.</summary>
    public long EpochOf(long step) => endless ? FirstOf(step) / count : (step - 1) / StepsPerEpoch;

    /// <summary>Samples of the whole step.</summary>
    public int ItemsOf(long step)
    {
        if (endless) return globalBatch;
        return (int)Math.Min(globalBatch, count - ((step - 1) % StepsPerEpoch * globalBatch));
    }

    /// <summary>Samples of one micro-batch, 0 to the micro-batch size.</summary>
    public int ItemsOf(long step, int microBatch) =>
        (int)Math.Clamp(ItemsOf(step) - ((long)microBatch * this.microBatch), 0, this.microBatch);

    /// <summary>Writes the sample numbers of a micro-batch.</summary>
    /// <param name="samples">At least as long as a micro-batch.</param>
    /// <returns>How many there are.</returns>
    public int Fill(long step, int microBatch, Span<int> samples)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)microBatch, (uint)MicroBatches);
        var items = ItemsOf(step, microBatch);
        var position = PositionOf(step) + ((long)microBatch * this.microBatch);
        for (var filled = 0; filled < items;)
        {
            var (epoch, first) = Math.DivRem(position, count);
            var run = (int)Math.Min(items - filled, count - first);
            CopyOrder(epoch, (int)first, samples.Slice(filled, run));
            filled += run;
            position += run;
        }

        return items;
    }

    private long FirstOf(long step) => (step - 1) * globalBatch;

    /// <summary>Where a step starts in the stream of all epochs laid end to end.</summary>
    private long PositionOf(long step) =>
        endless ? FirstOf(step) : ((step - 1) / StepsPerEpoch * count) + ((step - 1) % StepsPerEpoch * globalBatch);

    private void CopyOrder(long epoch, int first, Span<int> samples)
    {
        if (shuffle)
        {
            OrderOf(epoch).AsSpan(first, samples.Length).CopyTo(samples);
            return;
        }

        for (var i = 0; i < samples.Length; i++) samples[i] = first + i;
    }

    private int[] OrderOf(long epoch)
    {
        // Ranks and their prefetch are at most a few steps apart: the current epochs and their neighbours suffice.
        const int Kept = 3;
        lock (gate)
        {
            if (orders.TryGetValue(epoch, out var order)) return order;
            order = EpochOrder.Permutation(count, seed, epoch);
            orders.Add(epoch, order);
            if (orders.Count > Kept) orders.Remove(orders.Keys.First());
            return order;
        }
    }
}
