namespace Distributed.Core.Canonical;

/// <summary>A run of whole blocks of one bucket that travels as one frame for each partial.</summary>
/// <param name="Owner">Silo that reduces it; <see cref="ExchangePlan.Everyone"/>: each silo does, for its own use.</param>
public readonly record struct ExchangeSlice(int Bucket, int Owner, long Start, int Length)
{
    public long End => Start + Length;
}

/// <summary>How a flat gradient is cut into buckets, and buckets into slices with owners: a pure function, equal in all silos.</summary>
/// <remarks>
/// Buckets follow the flat buffer, which holds the last parameter first, so early ones are complete while backward still runs. The
/// first is small to start the wire early. A bucket's blocks are dealt in contiguous runs to the silos, rotated by bucket so that odd
/// blocks do not always fall to the same one. The cut decides who adds, never what is added to what: it changes no bit.
/// </remarks>
public sealed class ExchangePlan
{
    public const int Everyone = -1;

    /// <summary>Elements up to which one hop (all to all) is faster than reduce-scatter and all-gather: 64 KiB.</summary>
    private const long DirectElements = 16 * 1024;

    private const long SmallestBucket = 64 * 1024;
    private const int MostBuckets = 16;
    private const int LargestSlice = 64 * 1024;

    /// <summary>Elements of one slice over all partials of a silo, so that they fit one message: 1 MiB.</summary>
    private const int LargestChunk = 256 * 1024;

    private readonly List<ExchangeSlice> slices = [];
    private readonly List<int> firstSlice = [];

    private ExchangePlan(long elements, IReadOnlyList<MicroBatchRun> siloRuns)
    {
        SiloRuns = siloRuns;
        Partials = [.. siloRuns.Select(CanonicalTree.Partials)];
        Buckets = Cut(elements);
        var mostPartials = Partials.Max(p => p.Count);
        var length = Math.Max(
            BlockPlan.BlockElements,
            Math.Min(LargestSlice, LargestChunk / mostPartials / BlockPlan.BlockElements * BlockPlan.BlockElements));
        for (var bucket = 0; bucket < Buckets.Count; bucket++)
        {
            firstSlice.Add(slices.Count);
            Deal(bucket, elements <= DirectElements, length);
        }
        firstSlice.Add(slices.Count);
    }

    /// <summary>Micro-batches by silo: contiguous, in order, none empty.</summary>
    public IReadOnlyList<MicroBatchRun> SiloRuns { get; }

    /// <summary>By silo: the aligned blocks of the canonical tree that it sends, in order.</summary>
    public IReadOnlyList<IReadOnlyList<MicroBatchRun>> Partials { get; }

    /// <summary>Runs of whole blocks that cover the flat buffer in order.</summary>
    public IReadOnlyList<BlockRun> Buckets { get; }

    /// <summary>All slices, bucket by bucket.</summary>
    public IReadOnlyList<ExchangeSlice> Slices => slices;

    public int Silos => SiloRuns.Count;

    /// <value>Elements of the longest slice.</value>
    public int LongestSlice => slices.Max(s => s.Length);

    /// <param name="elements">Of the flat buffer: whole blocks.</param>
    /// <param name="siloRuns">Micro-batches by silo.</param>
    public static ExchangePlan For(long elements, IReadOnlyList<MicroBatchRun> siloRuns)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(elements, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(siloRuns.Count, 1);
        return new ExchangePlan(elements, siloRuns);
    }

    /// <summary>Numbers of a bucket's slices: from First up to, not including, End.</summary>
    public (int First, int End) SlicesOf(int bucket) => (firstSlice[bucket], firstSlice[bucket + 1]);

    /// <summary>Whether a silo reduces the slice.</summary>
    public bool Reduces(int silo, int slice) => slices[slice].Owner is Everyone || slices[slice].Owner == silo;

    private static List<BlockRun> Cut(long elements)
    {
        const int block = BlockPlan.BlockElements;
        var size = Math.Max(SmallestBucket, (BlockPlan.Blocks(elements) + MostBuckets - 2) / (MostBuckets - 1) * block);
        var buckets = new List<BlockRun>();
        var first = elements > 2 * size ? Math.Max(block, size / 4 / block * block) : size;
        for (long start = 0, end = first; start < elements; (start, end) = (end, end + size))
            buckets.Add(new BlockRun(start, Math.Min(elements, end)));
        return buckets;
    }

    private void Deal(int bucket, bool direct, int length)
    {
        var run = Buckets[bucket];
        if (direct)
        {
            Add(bucket, Everyone, run, length);
            return;
        }
        var shares = BlockPlan.Deal(run, Silos);
        for (var silo = 0; silo < Silos; silo++) Add(bucket, silo, shares[(silo + bucket) % Silos], length);
    }

    private void Add(int bucket, int owner, BlockRun run, int length)
    {
        for (var start = run.Start; start < run.End; start += length)
            slices.Add(new ExchangeSlice(bucket, owner, start, (int)Math.Min(length, run.End - start)));
    }
}
