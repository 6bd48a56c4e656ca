using Distributed.Core.Canonical;

namespace Distributed.Grains.Exchange;

/// <summary>
/// How much a silo may have on the way: two chunks of 1 MiB, or as many smaller ones, so that membership probes are never far behind.
/// </summary>
public static class ChunkWindow
{
    private const int MostBytes = 2 * 1024 * 1024;
    private const int Least = 2;
    private const int Most = 8;

    /// <value>Chunks of a silo that may wait for their sums at a time; equal in all silos and the coordinator.</value>
    public static int Of(ExchangePlan plan) =>
        Math.Clamp(MostBytes / (plan.LongestSlice * sizeof(float) * plan.Partials.Max(p => p.Count)), Least, Most);
}
