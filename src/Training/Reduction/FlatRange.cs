using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Parameters;

namespace Distributed.Training.Reduction;

/// <summary>Where the elements of one parameter lie in a flat buffer.</summary>
/// <param name="Parameter">Place in parameter order.</param>
/// <param name="Offset">First element.</param>
/// <param name="Count">Elements, without padding.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct FlatRange(int Parameter, long Offset, long Count)
{
    public long End => Offset + Count;

    /// <summary>All parameters of a layout, in the order of the flat buffer.</summary>
    public static FlatRange[] Of(ParameterLayout layout) => [.. layout.ByOffset.Select(s => new FlatRange(s.Index, s.Offset, s.Count))];

    /// <summary>Place of the first range that ends behind <paramref name="element"/>.</summary>
    public static int FirstBehind(ReadOnlySpan<FlatRange> ranges, long element)
    {
        int low = 0, high = ranges.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (ranges[middle].End > element) high = middle;
            else low = middle + 1;
        }
        return low;
    }

    /// <summary>The ranges that a run touches: from First up to, not including, End.</summary>
    public static (int First, int End) Touching(ReadOnlySpan<FlatRange> ranges, BlockRun run)
    {
        var first = FirstBehind(ranges, run.Start);
        var end = first;
        while (end < ranges.Length && ranges[end].Offset < run.End) end++;
        return (first, end);
    }
}
