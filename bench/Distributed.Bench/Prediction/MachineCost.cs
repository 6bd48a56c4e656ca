using Distributed.Bench.Figures;

namespace Distributed.Bench.Prediction;

/// <summary>What all models have in common on a machine.</summary>
/// <param name="Cores">Each runs one rank.</param>
/// <param name="Exchange">Null: not known.</param>
/// <param name="Wait">What a silo waits for a slower one, as a share of the step's compute.</param>
internal sealed record MachineCost(int Cores, ExchangeCost? Exchange, DecisionCost Decision, double Wait)
{
    /// <param name="measured">Of all models; those with ranks beyond the cores are left out.</param>
    /// <param name="votes">As for <see cref="DecisionCost.Fit"/>.</param>
    public static MachineCost Fit(int cores, IEnumerable<MeasuredStep> measured, LinearCost? votes)
    {
        var fitted = measured.Where(m => m.IsFitted && m.Layout.Ranks <= cores).ToList();
        var waits = fitted.Where(m => m.Exchange > 0).Select(m => (m.Phases.Exchange - m.Exchange) / m.Compute).ToList();
        return new MachineCost(
            cores, ExchangeCost.Fit(fitted), DecisionCost.Fit(fitted, votes), waits.Count > 0 ? Math.Max(0, BenchMath.Median(waits)) : 0);
    }
}
