using Distributed.Core.Canonical;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>Watches one rank's last micro-batch of a step: a bucket is finished when all its parameters have their gradient.</summary>
internal sealed class BucketProgress
{
    private readonly BucketGate gate;
    private readonly int[] parametersOf;
    private readonly int[] missing;
    private readonly (int First, int End)[] bucketsOf;
    private readonly IReadOnlyList<BlockRun> buckets;
    private readonly FlatRange[] rangeOf;

    /// <summary>By parameter: the first bucket in which it is not final.</summary>
    private readonly int[] next;

    public BucketProgress(IReadOnlyList<BlockRun> buckets, FlatRange[] ranges, int parameters, BucketGate gate)
    {
        (this.gate, this.buckets) = (gate, buckets);
        next = new int[parameters];
        rangeOf = new FlatRange[parameters];
        foreach (var range in ranges) rangeOf[range.Parameter] = range;
        parametersOf = new int[buckets.Count];
        missing = new int[buckets.Count];
        bucketsOf = new (int, int)[parameters];
        Array.Fill(bucketsOf, (int.MaxValue, 0));
        for (var bucket = 0; bucket < buckets.Count; bucket++)
        {
            var (first, end) = FlatRange.Touching(ranges, buckets[bucket]);
            parametersOf[bucket] = end - first;
            for (var i = first; i < end; i++)
            {
                ref var span = ref bucketsOf[ranges[i].Parameter];
                span = (Math.Min(span.First, bucket), bucket + 1);
            }
        }
    }

    public void Begin()
    {
        parametersOf.CopyTo(missing, 0);
        for (var i = 0; i < next.Length; i++) next[i] = bucketsOf[i].First;
    }

    /// <summary>The parameter's gradient is final; once per step and parameter.</summary>
    public void Ready(int parameter) => Ready(parameter, rangeOf[parameter].Count);

    /// <summary>The parameter's first <paramref name="elements"/> are final.</summary>
    public void Ready(int parameter, long elements)
    {
        ref var bucket = ref next[parameter];
        var final = rangeOf[parameter].Offset + elements;
        for (; bucket < bucketsOf[parameter].End && Math.Min(buckets[bucket].End, rangeOf[parameter].End) <= final; bucket++)
            if (--missing[bucket] == 0) gate.Finished(bucket);
    }

    /// <summary>The micro-batch is over: what had no gradient will get none.</summary>
    public void End()
    {
        for (var bucket = 0; bucket < missing.Length; bucket++)
        {
            // A bucket of padding alone has no parameter to wait for.
            if (missing[bucket] <= 0 && parametersOf[bucket] > 0) continue;
            missing[bucket] = 0;
            gate.Finished(bucket);
        }
    }
}
