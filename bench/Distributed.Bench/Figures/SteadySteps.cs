namespace Distributed.Bench.Figures;

/// <summary>Where the steps of a run begin to count: when they have become steady.</summary>
/// <remarks>
/// The same rule for us and for what we are compared with.
/// Steps are steady where the medians of two neighbouring windows differ by less than <see cref="Tolerance"/>. The second of the two is the
/// first that counts.
/// </remarks>
/// <param name="First">Index of the first step that counts.</param>
/// <param name="IsSteady">False: they were not by the middle of the run, and count from there.</param>
public readonly record struct SteadySteps(int First, bool IsSteady)
{
    /// <value>Of the smaller median.</value>
    public const double Tolerance = 0.03;

    private const int SmallestWindow = 2;
    private const int LargestWindow = 10;

    /// <summary>Windows of a run; warm-up takes one of them at least and half of them at most.</summary>
    private const int Windows = 6;

    /// <param name="seconds">Of each step, in order; at least one.</param>
    public static SteadySteps Of(IReadOnlyList<double> seconds)
    {
        var window = Math.Clamp(seconds.Count / Windows, SmallestWindow, LargestWindow);
        var latest = seconds.Count / 2;
        for (var first = window; first <= latest && first + window <= seconds.Count; first++)
            if (Differ(Middle(first - window), Middle(first)) < Tolerance) return new(first, true);
        return new(latest, false);

        double Middle(int start) => BenchMath.Median(seconds.Skip(start).Take(window));
    }

    /// <returns>Seconds of a step: the median of those that count.</returns>
    public static double Median(IReadOnlyList<double> seconds) => BenchMath.Median(seconds.Skip(Of(seconds).First));

    private static double Differ(double one, double other) => Math.Abs(one - other) / Math.Min(one, other);
}
