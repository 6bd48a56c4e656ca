namespace Distributed.Core.Canonical;

/// <summary>Elements [Start, End) of a flat buffer; starts at a block's start and ends at a block's or the buffer's end.</summary>
public readonly record struct BlockRun(long Start, long End)
{
    public long Count => End - Start;
}

/// <summary>Cuts flat buffers into blocks and deals them to owners.</summary>
public static class BlockPlan
{
    /// <value>Elements of a block; sums over a gradient are taken block by block, so this is part of the result.</value>
    public const int BlockElements = 4096;

    /// <summary>Number of blocks, the last one possibly short.</summary>
    public static long Blocks(long elements) => (elements + BlockElements - 1) / BlockElements;

    /// <summary>One contiguous run of blocks per owner, in order; their numbers of blocks differ by one at most.</summary>
    public static IReadOnlyList<BlockRun> Deal(long elements, int owners) => Deal(new BlockRun(0, elements), owners);

    /// <summary>Deals a run on, as a silo does with its ranks.</summary>
    public static IReadOnlyList<BlockRun> Deal(BlockRun run, int owners)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(owners, 1);
        var blocks = Blocks(run.Count);
        return [.. Enumerable.Range(0, owners).Select(owner => new BlockRun(Cut(owner), Cut(owner + 1)))];

        long Cut(int owner) => Math.Min(run.End, run.Start + (blocks * owner / owners * BlockElements));
    }
}
