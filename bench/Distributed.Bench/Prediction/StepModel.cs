using Distributed.Bench.Figures;

namespace Distributed.Bench.Prediction;

/// <summary>
/// What a step of one model and precision is made of on one machine: compute, exchange, decision, update. Made from some layouts, it tells
/// the seconds of others.
/// </summary>
/// <remarks>
/// <para>Compute grows linearly with the micro-batch, and by a factor when ranks share the machine's memory and caches.</para>
/// <para>
/// An exchange has a processor's part and a wire's. The wire's is hidden behind backward as a pipeline of buckets allows. The processor's
/// part is hidden likewise where each silo has a core to spare, else it adds to backward, since it takes the cores that compute.
/// </para>
/// <para>Silos wait for each other as the two do that it is made from. Left out: networks that are full, ranks beyond the cores.</para>
/// </remarks>
internal sealed class StepModel
{
    private readonly LinearCost compute;
    private readonly double backwardShare;
    private readonly Dictionary<int, SiloShare> shares;
    private readonly Dictionary<(int Together, int PerSilo), double> updates;
    private readonly MachineCost machine;
    private readonly long bytes;
    private readonly int buckets;

    private StepModel(LinearCost compute, List<MeasuredStep> fitted, MachineCost machine)
    {
        (this.compute, this.machine) = (compute, machine);
        var whole = fitted.MaxBy(m => m.Layout.MicroBatch)!.Layout.MicroBatch;
        var steps = fitted.Where(m => m.Layout.MicroBatch == whole).ToList();
        var alone = steps.First(m => m.Layout.Ranks == 1);
        backwardShare = alone.Phases.Backward / alone.Compute;
        shares = steps.Where(m => m.Layout.Silos == 1).ToDictionary(
            m => m.Layout.Ranks, m => new SiloShare(m.Compute / alone.Compute, m.Phases.Exchange));
        updates = steps.DistinctBy(m => (m.Layout.Ranks, m.Layout.RanksPerSilo))
            .ToDictionary(m => (m.Layout.Ranks, m.Layout.RanksPerSilo), m => m.Update);
        var exchanged = steps.FirstOrDefault(m => m.Layout.Silos > 1);
        (bytes, buckets) = (exchanged?.Bytes ?? 0, exchanged?.Buckets ?? 0);
    }

    /// <summary>Seconds of the micro-batch of one rank alone.</summary>
    public LinearCost Compute => compute;

    /// <value>Most ranks of one silo that it was made from.</value>
    public int MostRanks => shares.Keys.Max();

    /// <param name="measured">All layouts of one model and precision; it is made from those that are for it.</param>
    /// <returns>Null: it takes one rank with two sizes of micro-batches.</returns>
    public static StepModel? Fit(IReadOnlyCollection<MeasuredStep> measured, MachineCost machine)
    {
        var fitted = measured.Where(m => m.IsFitted && m.Layout.Ranks <= machine.Cores).ToList();
        var alone = fitted.Where(m => m.Layout.Ranks == 1).ToList();
        var compute = LinearCost.Fit([.. alone.Select(m => ((double)m.Layout.MicroBatch, m.Compute / m.Layout.MicroBatches))]);
        return compute is null ? null : new StepModel(compute, fitted, machine);
    }

    /// <summary>A step of silos that share this machine: their wire is its memory.</summary>
    /// <returns>Seconds; null: nothing it was made from says so much, or ranks share cores.</returns>
    public double? Seconds(StepLayout layout) => layout.Ranks > machine.Cores
        ? null
        : Seconds(layout, together: layout.Ranks, spare: machine.Cores - layout.Ranks >= layout.Silos, link: null);

    /// <summary>A step of silos that have a machine each, like this one.</summary>
    /// <param name="ranksPerSilo">As one silo was measured with.</param>
    /// <returns>Seconds; null: nothing it was made from says so much.</returns>
    public double? Seconds(int silos, int ranksPerSilo, int microBatch, Link link) => Seconds(
        new StepLayout(silos * ranksPerSilo, silos, microBatch, 1, Overlap: true), ranksPerSilo, machine.Cores > ranksPerSilo, link);

    /// <returns>When the last bucket is through: each of them is ready in turn, and moves once the one before it is through.</returns>
    /// <param name="busy">Seconds of the work that makes the buckets.</param>
    /// <param name="hidden">Seconds of moving them, one after the other.</param>
    /// <param name="buckets">Of one size.</param>
    public static double Pipeline(double busy, double hidden, int buckets) =>
        Math.Max(busy + (hidden / buckets), (busy / buckets) + hidden);

    private double? Seconds(StepLayout layout, int together, bool spare, Link? link)
    {
        if (!shares.TryGetValue(together, out var share)) return null;
        if (!updates.TryGetValue((together, layout.RanksPerSilo), out var update)
            && !updates.TryGetValue((layout.RanksPerSilo, layout.RanksPerSilo), out update)) return null;
        var microBatch = compute.Seconds(layout.MicroBatch) * share.Slowdown;
        var (all, backward) = (layout.MicroBatches * microBatch, backwardShare * microBatch);
        var around = machine.Decision.Seconds(layout.Silos) + update;
        if (layout.Silos == 1) return all + share.Reduce + around;
        if (machine.Exchange is not { } exchange || buckets == 0) return null;

        var work = exchange.Seconds(layout.Silos, bytes);
        var wire = link?.Seconds(ExchangeCost.Moved(layout.Silos, bytes)) ?? 0;
        var (busy, hidden) = spare ? (backward, work + wire) : (backward + work, wire);
        // There and back once with the gradients, and once with the vote.
        var roundTrips = 2 * (link?.RoundTrip ?? 0);
        return all - backward + (layout.Overlap ? Pipeline(busy, hidden, buckets) : busy + hidden)
            + (machine.Wait * all) + roundTrips + around;
    }

    /// <summary>What so many ranks of one silo cost each other.</summary>
    /// <param name="Slowdown">Compute of each over that of one alone.</param>
    /// <param name="Reduce">Seconds of the reduction in the silo's memory.</param>
    private readonly record struct SiloShare(double Slowdown, double Reduce);
}
