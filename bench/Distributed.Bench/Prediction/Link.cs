namespace Distributed.Bench.Prediction;

/// <summary>A network between machines, for what is computed.</summary>
/// <param name="BitsPerSecond">Of each machine, in each direction at once.</param>
/// <param name="RoundTrip">Seconds from a call to its answer.</param>
internal readonly record struct Link(double BitsPerSecond, double RoundTrip)
{
    public double Seconds(double bytes) => bytes * 8 / BitsPerSecond;
}
