namespace Distributed.Core.Canonical;

/// <summary>A running sum in the canonical tree: takes blocks in order and merges them as soon as they may.</summary>
/// <remarks>
/// A rank feeds it its micro-batches one by one and sends <see cref="Blocks"/>; an owner feeds it the blocks of all ranks.
/// </remarks>
public sealed class CanonicalSum<T>(Func<T, T, T> add)
{
    private readonly List<(MicroBatchRun Block, T Value)> blocks = [];

    /// <summary>Blocks that cannot merge yet, in order.</summary>
    public IReadOnlyList<(MicroBatchRun Block, T Value)> Blocks => blocks;

    /// <summary>Takes the block that follows the last one.</summary>
    /// <exception cref="ArgumentException">The block leaves a gap or is not aligned to its size.</exception>
    public void Add(MicroBatchRun block, T value)
    {
        if (!CanonicalTree.IsAligned(block)) throw new ArgumentException($"{block} is not an aligned block.", nameof(block));
        if (blocks.Count > 0 && blocks[^1].Block.End != block.Start)
            throw new ArgumentException($"{block} does not follow {blocks[^1].Block}.", nameof(block));
        while (blocks.Count > 0 && CanonicalTree.Merges(blocks[^1].Block, block))
        {
            (block, value) = Join(blocks[^1], (block, value));
            blocks.RemoveAt(blocks.Count - 1);
        }

        blocks.Add((block, value));
    }

    /// <summary>The sum of all blocks, the leftovers folded right to left; the blocks are used up.</summary>
    /// <exception cref="InvalidOperationException">Nothing was added.</exception>
    public T Total()
    {
        if (blocks.Count == 0) throw new InvalidOperationException("No micro-batch was added.");
        var total = blocks[^1];
        for (var i = blocks.Count - 2; i >= 0; i--) total = Join(blocks[i], total);
        blocks.Clear();
        return total.Value;
    }

    private (MicroBatchRun Block, T Value) Join((MicroBatchRun Block, T Value) left, (MicroBatchRun Block, T Value) right) =>
        (new(left.Block.Start, right.Block.End), add(left.Value, right.Value));
}
