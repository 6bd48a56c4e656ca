using Distributed.Bench.Figures;
using Distributed.Core.Events;

namespace Distributed.Bench.Scaling;

/// <summary>What the events of a run say of its speed, from when its steps are steady.</summary>
/// <param name="Samples">Of one step, over all ranks.</param>
/// <param name="Seconds">Of the median step.</param>
/// <param name="Exchange">
/// Seconds from the first bucket's leaving to the whole reduced gradient: of each silo's last rank, since the others wait for that one too;
/// mean over silos, median over steps.
/// </param>
/// <param name="Exposed">The part of it that compute did not hide, likewise.</param>
/// <param name="Pure">Seconds of the silo that came last: median over steps.</param>
/// <param name="Bytes">Of the FP32 gradient as it leaves a silo; 0 with one silo.</param>
/// <param name="Phases">Median of each.</param>
internal sealed record ScalingFigures(
    long Samples, double Seconds, double Exchange, double Exposed, double Pure, long Bytes, PhaseSeconds Phases)
{
    public double SamplesPerSecond => Samples / Seconds;

    /// <value>In which the gradient leaves a silo; 0 with one silo.</value>
    public int Buckets { get; init; }

    /// <value>False: the steps were not steady by the middle of the run.</value>
    public bool IsSteady { get; init; } = true;

    /// <value>Share of the exchange that compute did not hide.</value>
    public double NotHidden => Exchange > 0 ? Exposed / Exchange : 0;

    public static ScalingFigures Of(IReadOnlyList<JobEvent> events)
    {
        var all = events.OfType<StepEvent>().ToList();
        var steady = SteadySteps.Of([.. all.Select(s => s.Seconds)]);
        var steps = all.Skip(steady.First).ToList();
        var siloOf = events.OfType<StartedEvent>().First().Ranks.ToDictionary(r => r.Rank, r => r.Silo);
        // The other silos' seconds come a step later, so the events are sorted by the step that they tell of.
        var told = all.SelectMany(s => s.Ranks ?? Enumerable.Empty<RankSeconds>()).Where(r => r.Step >= steps[0].Step).GroupBy(r => r.Step)
            .Select(step => step.GroupBy(r => siloOf[r.Rank]).Select(silo => silo.MinBy(r => r.Exposed)!).ToList()).ToList();
        return new ScalingFigures(
            steps[0].Items,
            BenchMath.Median(steps.Select(s => s.Seconds)),
            BenchMath.Median(told.Select(t => t.Average(r => r.Exchange))),
            BenchMath.Median(told.Select(t => t.Average(r => r.Exposed))),
            BenchMath.Median(told.Select(t => t.Min(r => r.Exchange))),
            steps[0].Buckets?.Sum(b => b.Bytes) ?? 0,
            new PhaseSeconds(
                Of(p => p.Data), Of(p => p.Forward), Of(p => p.Backward), Of(p => p.Exchange), Of(p => p.Decide), Of(p => p.Apply)))
        {
            Buckets = steps[0].Buckets?.Count ?? 0,
            IsSteady = steady.IsSteady,
        };

        double Of(Func<PhaseSeconds, double> phase) => BenchMath.Median(steps.Select(s => phase(s.Phases)));
    }
}
