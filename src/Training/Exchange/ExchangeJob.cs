using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Training.Devices;
using Distributed.Training.Ranks;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>What an exchange works on: who takes part, what they bring, and where the result belongs.</summary>
public sealed class ExchangeJob
{
    /// <param name="silos">Who takes part.</param>
    /// <param name="runs">Micro-batches by rank of the job: contiguous, in order.</param>
    /// <param name="ranges">Where the parameters lie in the flat buffers.</param>
    /// <param name="barrier">Where the ranks of this silo meet.</param>
    internal ExchangeJob(
        ExchangeSilos silos, IReadOnlyList<MicroBatchRun> runs, FlatRange[] ranges, RankBarrier barrier, ReducedGradient reduced,
        IDeviceRuntime device)
    {
        (Silos, Runs, Ranges, Barrier, Reduced, Device) = (silos, runs, ranges, barrier, reduced, device);
        Partials = new IReadOnlyList<GradientPartial>[silos.RanksHere];
    }

    /// <summary>Who takes part.</summary>
    public ExchangeSilos Silos { get; internal set; }

    /// <summary>Micro-batches by rank of the job.</summary>
    internal IReadOnlyList<MicroBatchRun> Runs { get; }

    /// <summary>Micro-batches by rank of this silo.</summary>
    internal IReadOnlyList<MicroBatchRun> OwnRuns => [.. Runs.Skip(Silos.FirstRanks[Silos.Index]).Take(Silos.RanksHere)];

    /// <summary>Micro-batches by silo.</summary>
    internal IReadOnlyList<MicroBatchRun> SiloRuns =>
        [.. Silos.FirstRanks.Select((first, i) => new MicroBatchRun(
            Runs[first].Start, Runs[(i + 1 < Silos.Count ? Silos.FirstRanks[i + 1] : Runs.Count) - 1].End))];

    internal FlatRange[] Ranges { get; }

    internal RankBarrier Barrier { get; }

    internal ReducedGradient Reduced { get; }

    /// <summary>Whose memory gradients and result are in.</summary>
    internal IDeviceRuntime Device { get; }

    /// <summary>
    /// By rank of this silo: what its run merged to, filled anew in each step. Each rank sets its own before the first step.
    /// </summary>
    internal IReadOnlyList<GradientPartial>[] Partials { get; }

    /// <summary>Waits for the silo's other ranks; the last to come brings the exchange to its end, then all go on.</summary>
    /// <param name="rank">Place of the caller among the silo's ranks.</param>
    /// <param name="meanwhile">Work that a rank does while it waits, piece by piece; false: none at present.</param>
    public void MeetForExchange(int rank, long step, Action last, Func<bool>? meanwhile = null) =>
        Barrier.Meet(rank, "exchange", step, last, meanwhile);

    /// <summary>There is work for ranks that wait there; by any thread.</summary>
    public void Nudge() => Barrier.Nudge();
}

/// <summary>The silos of a generation as one of them sees them.</summary>
/// <param name="Names">In rank order.</param>
/// <param name="Index">This silo's place.</param>
/// <param name="FirstRanks">By silo: its first rank.</param>
/// <param name="Fingerprint">Everything that must be equal in all silos for equal bits, in words.</param>
/// <param name="RanksHere">Ranks of this silo.</param>
public sealed record ExchangeSilos(
    JobId JobId, Generation Generation, IReadOnlyList<string> Names, int Index, IReadOnlyList<int> FirstRanks,
    string Fingerprint, int RanksHere)
{
    public int Count => Names.Count;
}
