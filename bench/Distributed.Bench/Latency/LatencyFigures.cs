namespace Distributed.Bench.Latency;

/// <summary>How long calls of one kind took.</summary>
/// <param name="P50">Milliseconds within which half were answered.</param>
/// <param name="P99">Milliseconds within which 99 of 100 were answered.</param>
internal readonly record struct LatencyFigures(int Calls, double P50, double P99)
{
    /// <summary>Calls that were not answered as they should.</summary>
    public int Unanswered { get; init; }

    /// <param name="milliseconds">Of each call, in any order; at least one.</param>
    public static LatencyFigures Of(IReadOnlyCollection<double> milliseconds)
    {
        var sorted = milliseconds.Order().ToList();
        return new LatencyFigures(sorted.Count, sorted[sorted.Count / 2], sorted[(int)(sorted.Count * 0.99)]);
    }

    /// <summary>The round whose p99 is in the middle: a machine that does something else for a moment shows in single rounds.</summary>
    public static LatencyFigures Median(IEnumerable<LatencyFigures> rounds)
    {
        var sorted = rounds.OrderBy(round => round.P99).ToList();
        return sorted[sorted.Count / 2] with { Unanswered = sorted.Sum(round => round.Unanswered) };
    }
}
