using System.Collections.Immutable;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Jobs;

/// <summary>The last events of a job, numbered from its first.</summary>
/// <param name="capacity">Events kept at least; older ones are forgotten.</param>
/// <param name="begin">Number of the first one that will be appended.</param>
internal sealed class EventLog(int capacity, long begin = 0)
{
    private readonly List<string> kept = [];
    private long first = begin;

    /// <summary>Number of the oldest one kept.</summary>
    public long First => first;

    /// <summary>Number that the next event will get.</summary>
    public long End => first + kept.Count;

    public void Append(string json)
    {
        // Forgetting an eighth at a time keeps the cost of an append constant on average.
        if (kept.Count >= capacity + Math.Max(1, capacity / 8))
        {
            var drop = kept.Count - capacity;
            kept.RemoveRange(0, drop);
            first += drop;
        }

        kept.Add(json);
    }

    /// <summary>Events from a number on; from the oldest kept when that one is forgotten.</summary>
    public ImmutableArray<NumberedEvent> Read(long from, int max)
    {
        var start = Math.Clamp(from, first, End);
        var count = (int)Math.Min(Math.Max(max, 0), End - start);
        var page = ImmutableArray.CreateBuilder<NumberedEvent>(count);
        for (var i = 0; i < count; i++) page.Add(new NumberedEvent(start + i, kept[(int)(start - first) + i]));
        return page.MoveToImmutable();
    }
}
