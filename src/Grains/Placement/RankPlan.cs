using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Placement;

/// <summary>Which rank runs where: a pure function of the job, its options and the silos.</summary>
internal static class RankPlan
{
    /// <summary>The error with a rank, where it names a silo alone: the first of that silo's ranks, as in the exchange.</summary>
    public static JobError? WithRank(JobError? error, IEnumerable<SiloRanks> plan) => error is { Rank: null, Silo: { } name }
        && plan.FirstOrDefault(silo => silo.Silo.Name == name) is { } there
        ? error with { Rank = there.Ranks[0].Rank }
        : error;

    /// <summary>Why the options do not fit the job; null when they do.</summary>
    public static string? Refuse(JobSpec spec, int ranks, int silos, long stopAt)
    {
        var microBatches = spec.MicroBatches;
        if (ranks < 0) return $"ranks: found {ranks}, expected 0 (the server's choice) or more.";
        if (silos < 0) return $"silos: found {silos}, expected 0 or more.";
        if (stopAt < 0) return $"stop at: found {stopAt}, expected 0 (run to the end) or a step.";
        if (ranks > microBatches)
            return $"{ranks} ranks, but a step has only {microBatches} micro-batches (globalBatch {spec.GlobalBatch} / microBatch "
                + $"{spec.MicroBatch}); ask for at most {microBatches} ranks or make microBatch smaller.";
        return ranks > 0 && silos > ranks ? $"{silos} silos for {ranks} ranks leave some silo empty; ask for at most {ranks} silos." : null;
    }

    /// <summary>What the job asks of the queue.</summary>
    /// <param name="workers">Ranks that <c>scale</c> asked for; null: as the job says.</param>
    public static (int Min, int Max, bool OneSilo) Demand(JobSpec spec, RunOptions run, int? workers)
    {
        if (workers is { } asked) return (asked, asked, false);
        if (run.Ranks > 0) return (run.Ranks, run.Ranks, false);
        // Without a number, more silos than the job must have are left to others.
        return (spec.Workers.Min, Math.Min(spec.Workers.Max ?? int.MaxValue, spec.MicroBatches), spec.Workers.Max is null);
    }

    /// <summary>
    /// Deals ranks to silos in contiguous runs, in proportion to their slots: silos of equal size get floor((i+1)N/M) - floor(iN/M).
    /// </summary>
    /// <returns>One entry for each silo that gets a rank, in order.</returns>
    public static ImmutableArray<SiloRanks> Deal(int worldSize, string device, ImmutableArray<LeasedSilo> silos)
    {
        var plan = new List<SiloRanks>(silos.Length);
        long slots = silos.Sum(s => (long)s.Slots), passed = 0;
        foreach (var silo in silos)
        {
            var start = (int)(passed * worldSize / slots);
            passed += silo.Slots;
            var end = (int)(passed * worldSize / slots);
            if (start == end) continue;
            var slot = start;
            var ranks = Enumerable.Range(start, end - start).Select(r => new PlacedRank(new(r), $"{device}:{r - slot}"));
            plan.Add(new SiloRanks(silo, [.. ranks]));
        }

        return [.. plan];
    }
}
