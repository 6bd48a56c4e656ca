using Distributed.Core.Canonical;
using Distributed.Training.Collectives;

namespace Distributed.Training.Exchange;

/// <summary>Watches one rank's last micro-batch of a step: a bucket is finished when all its parameters have their gradient.</summary>
internal sealed class BucketProgress
{
    private readonly BucketGate gate;
    private readonly int[] parametersOf;
    private readonly int[] missing;
    private readonly (int First, int End)[] bucketsOf;

    public BucketProgress(ExchangePlan plan, FlatRange[] ranges, int parameters, BucketGate gate)
    {
        this.gate = gate;
        parametersOf = new int[plan.Buckets.Count];
        missing = new int[plan.Buckets.Count];
        bucketsOf = new (int, int)[parameters];
        Array.Fill(bucketsOf, (int.MaxValue, 0));
        for (var bucket = 0; bucket < plan.Buckets.Count; bucket++)
        {
            var (first, end) = FlatRange.Touching(ranges, plan.Buckets[bucket]);
            parametersOf[bucket] = end - first;
            for (var i = first; i < end; i++)
            {
                ref var span = ref bucketsOf[ranges[i].Parameter];
                span = (Math.Min(span.First, bucket), bucket + 1);
            }
        }
    }

    public void Begin() => parametersOf.CopyTo(missing, 0);

    /// <summary>The parameter's gradient is final; once a step and parameter.</summary>
    public void Ready(int parameter)
    {
        var (first, end) = bucketsOf[parameter];
        for (var bucket = first; bucket < end; bucket++)
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
