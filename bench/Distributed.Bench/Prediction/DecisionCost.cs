using Distributed.Bench.Figures;

namespace Distributed.Bench.Prediction;

/// <summary>What the vote and the decision of a step take.</summary>
/// <param name="One">Seconds with one silo.</param>
/// <param name="Two">Seconds with two; the same as one where no two were measured.</param>
/// <param name="More">Seconds of one silo more: the coordinator takes votes one after the other.</param>
internal sealed record DecisionCost(double One, double Two, double More)
{
    /// <param name="measured">Steps of one silo and of several.</param>
    /// <param name="votes">
    /// What rounds of votes took by the number of voters; null: not measured, and each silo more costs as much as the second.
    /// </param>
    public static DecisionCost Fit(IReadOnlyCollection<MeasuredStep> measured, LinearCost? votes)
    {
        var one = Middle(1) ?? 0;
        var two = Middle(2) ?? one;
        return new DecisionCost(one, two, Math.Max(0, votes?.Beta ?? two - one));

        double? Middle(int silos) => measured.Where(m => m.IsFitted && m.Layout.Silos == silos).Select(m => m.Phases.Decide).ToList() switch
        {
            [] => null,
            var all => BenchMath.Median(all),
        };
    }

    public double Seconds(int silos) => silos == 1 ? One : Two + (More * (silos - 2));
}
