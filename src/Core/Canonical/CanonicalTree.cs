using System.Numerics;

namespace Distributed.Core.Canonical;

/// <summary>The one order in which the micro-batches of a step are summed: a function of their number alone.</summary>
/// <remarks>
/// Adjacent blocks of equal size merge when the left one starts at a multiple of twice that size, like a binary counter; what is left
/// at the end folds right to left. An aligned block has the same inner sum wherever it is built, so any contiguous cut over ranks
/// gives the same association, and the same bits.
/// </remarks>
public static class CanonicalTree
{
    /// <summary>The maximal aligned blocks that a contiguous run merges to by itself, in order.</summary>
    public static IReadOnlyList<MicroBatchRun> Partials(int start, int end)
    {
        var blocks = new List<MicroBatchRun>();
        while (start < end)
        {
            var size = LargestBlock(start, end);
            blocks.Add(new(start, start + size));
            start += size;
        }

        return blocks;
    }

    /// <inheritdoc cref="Partials(int, int)"/>
    public static IReadOnlyList<MicroBatchRun> Partials(MicroBatchRun run) => Partials(run.Start, run.End);

    /// <summary>Number of blocks that <see cref="Partials(int, int)"/> gives, without a list.</summary>
    public static int CountPartials(int start, int end)
    {
        var count = 0;
        for (; start < end; start += LargestBlock(start, end)) count++;
        return count;
    }

    /// <summary>Sums the partials of all ranks, given in order from micro-batch 0 on without gaps, in the canonical association.</summary>
    /// <param name="add">Left and right operand, adjacent and in order; may reuse the left one.</param>
    /// <exception cref="ArgumentException">No partials, a gap, or a block that is not aligned.</exception>
    public static T Fold<T>(IEnumerable<(int Start, int End, T Value)> partials, Func<T, T, T> add)
    {
        var sum = new CanonicalSum<T>(add);
        foreach (var (start, end, value) in partials) sum.Add(new(start, end), value);
        if (sum.Blocks.Count == 0 || sum.Blocks[0].Block.Start != 0)
            throw new ArgumentException("The partials must start at micro-batch 0.", nameof(partials));
        return sum.Total();
    }

    /// <summary>Whether two neighbouring blocks are one aligned block of twice the size.</summary>
    public static bool Merges(MicroBatchRun left, MicroBatchRun right) =>
        left.Count == right.Count && left.Start % (2 * left.Count) == 0;

    internal static bool IsAligned(MicroBatchRun block) =>
        block.Count > 0 && BitOperations.IsPow2(block.Count) && block.Start % block.Count == 0;

    private static int LargestBlock(int start, int end)
    {
        var fits = 1 << BitOperations.Log2((uint)(end - start));
        return start == 0 ? fits : Math.Min(fits, start & -start);
    }
}
