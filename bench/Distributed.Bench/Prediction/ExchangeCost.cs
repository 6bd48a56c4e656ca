using Distributed.Bench.Figures;

namespace Distributed.Bench.Prediction;

/// <summary>
/// The processor's part of an exchange between silos, as loopback shows it: copies, sums and calls, without any time on a wire.
/// </summary>
/// <remarks>
/// Each of N silos sends its part of the gradient to each other one and sums what it gets; then the sums travel likewise. So bytes and sums
/// grow with 2(N - 1)/N, and frames with N - 1.
/// </remarks>
/// <param name="Two">Of an exchange between two silos, by the bytes of the gradient.</param>
internal sealed record ExchangeCost(LinearCost Two)
{
    /// <summary>From exchanges between two silos that nothing overlapped.</summary>
    /// <returns>Null: gradients of one size, or no exchange.</returns>
    public static ExchangeCost? Fit(IEnumerable<MeasuredStep> measured) => LinearCost.FitRelative(
        [.. measured.Where(m => m is { IsFitted: true, Layout: { Silos: 2, Overlap: false }, Exchange: > 0, Bytes: > 0 })
            .Select(m => ((double)m.Bytes, m.Exchange))]) is { } line ? new ExchangeCost(line) : null;

    /// <returns>Bytes that each silo sends, and as many that it gets, in one exchange.</returns>
    public static double Moved(int silos, long bytes) => 2.0 * (silos - 1) / silos * bytes;

    /// <returns>Seconds that a silo's processor works on an exchange.</returns>
    public double Seconds(int silos, long bytes) => (Two.Alpha * (silos - 1)) + (Two.Beta * Moved(silos, bytes));
}
