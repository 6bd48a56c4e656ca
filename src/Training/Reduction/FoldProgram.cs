using System.Collections.Immutable;
using Distributed.Core.Canonical;

namespace Distributed.Training.Reduction;

/// <summary>
/// The canonical tree over the partials of all ranks, as a stack program: a number pushes that partial,
/// <see cref="AddTop"/> adds the top two.
/// </summary>
internal sealed class FoldProgram
{
    public const int AddTop = -1;

    private FoldProgram(ImmutableArray<int> operations)
    {
        Operations = operations;
        int height = 0, depth = 0;
        foreach (var operation in operations)
        {
            height += operation == AddTop ? -1 : 1;
            depth = Math.Max(depth, height);
        }
        Depth = depth;
    }

    public ImmutableArray<int> Operations { get; }

    /// <value>Operands the stack holds at most.</value>
    public int Depth { get; }

    /// <param name="partials">Runs of micro-batches in order; together they cover 0..V.</param>
    public static FoldProgram For(IEnumerable<(int Start, int End)> partials)
    {
        var leaves = partials.Select((p, i) => (p.Start, p.End, Value: ImmutableArray.Create(i)));
        return new FoldProgram(CanonicalTree.Fold(leaves, (left, right) => [.. left, .. right, AddTop]));
    }
}
