namespace Distributed.Bench.Figures;

/// <summary>What something costs that grows with an amount, such as bytes or samples: seconds = alpha + amount x beta.</summary>
/// <param name="Alpha">Seconds of nothing.</param>
/// <param name="Beta">Seconds of one more.</param>
/// <param name="Residual">Root of the mean square of what the points are off, in seconds.</param>
public sealed record LinearCost(double Alpha, double Beta, double Residual)
{
    /// <summary>The line with the least squares of the points' distances in time.</summary>
    /// <returns>Null when the points have fewer than two amounts.</returns>
    public static LinearCost? Fit(IReadOnlyList<(double Amount, double Seconds)> points) => Fit(points, _ => 1);

    /// <summary>
    /// The line with the least squares of the points' distances in parts of their time, so that small amounts count as much as large ones;
    /// through zero where it would begin below.
    /// </summary>
    /// <param name="points">With times above zero.</param>
    /// <returns>Null when the points have fewer than two amounts.</returns>
    public static LinearCost? FitRelative(IReadOnlyList<(double Amount, double Seconds)> points)
    {
        var line = Fit(points, p => 1 / (p.Seconds * p.Seconds));
        if (line is null or { Alpha: >= 0 }) return line;
        var beta = points.Sum(p => p.Amount / p.Seconds) / points.Sum(p => p.Amount * p.Amount / (p.Seconds * p.Seconds));
        return new LinearCost(0, beta, Off(points, 0, beta));
    }

    public double Seconds(double amount) => Alpha + (Beta * amount);

    private static LinearCost? Fit(
        IReadOnlyList<(double Amount, double Seconds)> points, Func<(double Amount, double Seconds), double> weigh)
    {
        if (points.DistinctBy(p => p.Amount).Count() < 2) return null;
        List<(double X, double Y, double Weight)> all = [.. points.Select(p => (p.Amount, p.Seconds, weigh(p)))];
        var sum = all.Sum(p => p.Weight);
        var (x, y) = (all.Sum(p => p.X * p.Weight) / sum, all.Sum(p => p.Y * p.Weight) / sum);
        var beta = all.Sum(p => (p.X - x) * (p.Y - y) * p.Weight) / all.Sum(p => (p.X - x) * (p.X - x) * p.Weight);
        var alpha = y - (beta * x);
        return new LinearCost(alpha, beta, Off(points, alpha, beta));
    }

    private static double Off(IReadOnlyList<(double Amount, double Seconds)> points, double alpha, double beta) =>
        Math.Sqrt(points.Average(p => Math.Pow(p.Seconds - alpha - (beta * p.Amount), 2)));
}
