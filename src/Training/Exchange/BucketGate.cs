using System.Diagnostics;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>Lets a bucket leave when the last rank of the silo is done with it.</summary>
internal sealed class BucketGate(IGradientExchange exchange, int ranks)
{
    private readonly int[] missing = new int[exchange.Buckets.Count];
    private readonly long[] ready = new long[exchange.Buckets.Count];

    /// <summary>By bucket: when it left in the open step, by the system's monotonic clock.</summary>
    public ReadOnlySpan<long> Ready => ready;

    /// <summary>When the first bucket left; null where none leaves.</summary>
    public long? FirstReady => ready.Length == 0 ? null : ready.Min();

    /// <summary>Opens a step; before any rank of the silo begins it.</summary>
    public void Begin(long step, GradientFactors factors)
    {
        Array.Fill(missing, ranks);
        exchange.Begin(step, factors);
    }

    /// <summary>A rank's gradients of the bucket are final.</summary>
    public void Finished(int bucket)
    {
        if (Interlocked.Decrement(ref missing[bucket]) != 0) return;
        ready[bucket] = Stopwatch.GetTimestamp();
        exchange.Release(bucket);
    }
}
