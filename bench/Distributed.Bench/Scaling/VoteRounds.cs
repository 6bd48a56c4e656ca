using Distributed.Bench.Figures;

namespace Distributed.Bench.Scaling;

/// <summary>What it takes until so many silos that vote at once have the decision.</summary>
/// <param name="Fitted">Voters and seconds.</param>
/// <param name="Held">One that the line is checked against.</param>
internal sealed record VoteRounds(IReadOnlyList<(double Silos, double Seconds)> Fitted, (int Silos, double Seconds) Held)
{
    private static readonly int[] Sizes = [1, 8, 64];
    private static readonly int[] QuickSizes = [1, 4];

    public LinearCost? Line { get; } = LinearCost.FitRelative(Fitted);

    /// <param name="seconds">Of a round with so many voters; the second is the number of steps to measure.</param>
    public static async Task<VoteRounds> Measure(Func<int, int, Task<double>> seconds, bool quick)
    {
        var steps = quick ? 6 : 60;
        var fitted = new List<(double, double)>();
        foreach (var silos in quick ? QuickSizes : Sizes) fitted.Add((silos, await seconds(silos, steps)));
        var held = quick ? 8 : 256;
        return new VoteRounds(fitted, (held, await seconds(held, steps)));
    }
}
