using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>The exchange of a job on one silo: each rank folds its own run of blocks, straight from the gradients of all ranks.</summary>
internal sealed class LocalExchange : IGradientExchange
{
    private readonly ExchangeJob job;
    private readonly FoldProgram program;
    private readonly IReadOnlyList<BlockRun> owned;
    private readonly BlockReducer[] reducers;
    private GradientPartial[] partials = [];
    private GradientFactors factors;
    private long step;

    public LocalExchange(ExchangeJob job)
    {
        this.job = job;
        program = FoldProgram.For(job.Runs.SelectMany(CanonicalTree.Partials).Select(p => (p.Start, p.End)));
        owned = BlockPlan.Deal(job.Reduced.Elements, job.Silos.RanksHere);
        reducers = [.. owned.Select(_ => new BlockReducer(job.Ranges, job.Device))];
    }

    public IReadOnlyList<BlockRun> Buckets => [];

    public SiloReports Reports { get; } = new(0, 1);

    public void Begin(long step, GradientFactors factors)
    {
        (this.step, this.factors) = (step, factors);
        job.Reduced.Begin();
    }

    public void Release(int bucket) => throw new ArgumentOutOfRangeException(nameof(bucket), bucket, "Nothing leaves the silo.");

    public void Reduce(int rank, TimeSpan patience)
    {
        job.MeetForExchange(rank, step, Gather);
        if (reducers[rank].Reduce(owned[rank], partials, program, factors, job.Reduced.Address, job.Reduced.BlockNorms))
            job.Reduced.MarkNonFinite();
    }

    /// <remarks>The only waits here are for ranks of this silo: whatever ends the session breaks their barrier.</remarks>
    public void Abort(JobError reason)
    {
    }

    public void Dispose()
    {
        foreach (var reducer in reducers) reducer.Dispose();
    }

    private void Gather()
    {
        partials = [.. job.Partials.SelectMany(p => p)];
        var touched = job.Reduced.Touched;
        foreach (var partial in partials)
            for (var i = 0; i < touched.Length; i++)
                touched[i] |= !partial.Sources[i].IsNone;
    }
}

/// <summary>Opens the exchange of a job on one silo.</summary>
public sealed class LocalExchangeFactory : IExchangeFactory
{
    public IGradientExchange Open(ExchangeJob job)
    {
        if (job.Silos.Count > 1) throw new InvalidOperationException("A job on several silos needs an exchange between them.");
        return new LocalExchange(job);
    }
}
