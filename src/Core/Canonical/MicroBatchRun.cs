namespace Distributed.Core.Canonical;

/// <summary>A contiguous run of micro-batches, or an aligned block of the canonical tree: Start inclusive, End exclusive.</summary>
public readonly record struct MicroBatchRun(int Start, int End)
{
    public int Count => End - Start;

    public override string ToString() => FormattableString.Invariant($"[{Start}, {End})");
}
