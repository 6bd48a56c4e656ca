namespace Distributed.Bench.Figures;

/// <summary>What an exchange costs: seconds = alpha + bytes x beta.</summary>
/// <param name="Alpha">Seconds of an exchange of nothing.</param>
/// <param name="Beta">Seconds of one byte more.</param>
/// <param name="Residual">Root of the mean square of what the points are off, in seconds.</param>
public sealed record LinearCost(double Alpha, double Beta, double Residual)
{
    /// <summary>The line with the least squares of the points' distances in time.</summary>
    /// <returns>Null when the points have fewer than two sizes.</returns>
    public static LinearCost? Fit(IReadOnlyList<(double Bytes, double Seconds)> points)
    {
        if (points.DistinctBy(p => p.Bytes).Count() < 2) return null;
        var (bytes, seconds) = (points.Average(p => p.Bytes), points.Average(p => p.Seconds));
        var beta = points.Sum(p => (p.Bytes - bytes) * (p.Seconds - seconds)) / points.Sum(p => (p.Bytes - bytes) * (p.Bytes - bytes));
        var alpha = seconds - (beta * bytes);
        return new LinearCost(alpha, beta, Math.Sqrt(points.Average(p => Math.Pow(p.Seconds - alpha - (beta * p.Bytes), 2))));
    }
}
