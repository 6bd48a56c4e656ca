namespace Distributed.Core.Canonical;

/// <summary>Deals the micro-batches of a step to ranks in contiguous runs.</summary>
public static class MicroBatchRuns
{
    /// <summary>
    /// One run per rank, in order: the largest run as short as can be, then as few partials as can be, then as even as can be.
    /// </summary>
    /// <param name="ranks">World size; above <paramref name="microBatches"/> the last ranks get empty runs.</param>
    /// <remarks>The result does not change any sum; it is equal on all ranks because it depends on the two numbers alone.</remarks>
    public static IReadOnlyList<MicroBatchRun> Plan(int ranks, int microBatches)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ranks, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(microBatches);
        var busy = Math.Min(ranks, microBatches);
        var runs = new MicroBatchRun[ranks];
        Array.Fill(runs, new(microBatches, microBatches));
        if (busy == 0) return runs;

        var longest = (microBatches + busy - 1) / busy;
        var cuts = BestCuts(busy, microBatches, longest);
        for (var rank = 0; rank < busy; rank++) runs[rank] = new(cuts[rank], cuts[rank + 1]);
        return runs;
    }

    /// <remarks>Rank r can end only within `slack` of r * longest, so the table is ranks x (slack + 1).</remarks>
    private static int[] BestCuts(int ranks, int microBatches, int longest)
    {
        var slack = (ranks * longest) - microBatches;
        var cost = new (long Partials, long Squares)[ranks + 1, slack + 1];
        var from = new int[ranks + 1, slack + 1];
        for (var rank = 1; rank <= ranks; rank++)
        {
            for (var lag = 0; lag <= slack; lag++)
            {
                cost[rank, lag] = (long.MaxValue, long.MaxValue);
                for (var before = 0; before <= (rank == 1 ? 0 : lag); before++) Consider(rank, before, lag);
            }
        }

        var cuts = new int[ranks + 1];
        for (int rank = ranks, lag = slack; rank > 0; lag = from[rank, lag], rank--) cuts[rank] = (rank * longest) - lag;
        return cuts;

        void Consider(int rank, int before, int lag)
        {
            var (start, end) = (((rank - 1) * longest) - before, (rank * longest) - lag);
            if (end <= start || cost[rank - 1, before].Partials == long.MaxValue) return;
            var (partials, squares) = cost[rank - 1, before];
            var length = (long)(end - start);
            var candidate = (partials + CanonicalTree.CountPartials(start, end), squares + (length * length));
            if (candidate.CompareTo(cost[rank, lag]) >= 0) return;
            cost[rank, lag] = candidate;
            from[rank, lag] = before;
        }
    }
}
