using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Exchange;
using Distributed.Training.Kernels;
using Distributed.Training.Reduction;

namespace Distributed.Training.Tests.Exchange;

/// <summary>Silos that exchange made-up gradients, and what the result must be: the obvious sum, element by element.</summary>
internal sealed unsafe class ExchangeRig : IDisposable
{
    private const float Inverse = 1 / 3f;
    private const float Mean = 0.7f;
    private readonly FlatRange[] ranges;
    private readonly long elements;
    private readonly List<MicroBatchRun> rankRuns;
    private readonly int[] shares;
    private readonly nint[] reduced;
    private readonly List<nint> memory = [];

    /// <param name="sizes">Elements by parameter.</param>
    /// <param name="shares">Ranks by silo.</param>
    public ExchangeRig(long[] sizes, int[] shares, int microBatches)
    {
        this.shares = shares;
        var all = new List<FlatRange>();
        long offset = 0;
        for (var i = sizes.Length - 1; i >= 0; i--)
        {
            all.Add(new FlatRange(i, offset, sizes[i]));
            offset += (sizes[i] + 63) / 64 * 64;
        }
        ranges = [.. all];
        elements = BlockPlan.Blocks(offset) * BlockPlan.BlockElements;
        rankRuns = [.. MicroBatchRuns.Plan(shares.Sum(), microBatches)];
        var siloRuns = new List<MicroBatchRun>();
        for (int silo = 0, rank = 0; silo < shares.Length; rank += shares[silo++])
            siloRuns.Add(new MicroBatchRun(rankRuns[rank].Start, rankRuns[rank + shares[silo] - 1].End));
        Plan = ExchangePlan.For(elements, siloRuns);
        reduced = [.. shares.Select(_ => Allocate(elements))];
        Buffers = [.. shares.Select((_, i) => Open(i))];
    }

    public ExchangePlan Plan { get; }

    public ExchangeBuffers[] Buffers { get; }

    public int Silos => shares.Length;

    /// <summary>Makes the gradients of a step; some are absent, as the seed says.</summary>
    /// <param name="spoil">An element of micro-batch 0 that becomes infinite; -1: none.</param>
    public void Draw(int seed, long spoil = -1)
    {
        for (int silo = 0, rank = 0; silo < shares.Length; silo++)
            for (var local = 0; local < shares[silo]; local++, rank++)
                Buffers[silo].Local[local] = [.. CanonicalTree.Partials(rankRuns[rank]).Select(run => Partial(run, seed, spoil))];
        for (var silo = 0; silo < shares.Length; silo++)
            for (var m = Plan.SiloRuns[silo].Start; m < Plan.SiloRuns[silo].End; m++) Buffers[silo].Losses[m] = Loss(seed, m);
    }

    public static double Loss(int seed, int microBatch) => (seed * 31.0) + (microBatch * 0.1);

    /// <summary>One step of one silo, from its opening to the whole result.</summary>
    public void Step(IGradientExchange exchange, long step, TimeSpan patience)
    {
        exchange.Begin(step, new GradientFactors(Inverse, Mean));
        for (var bucket = 0; bucket < Plan.Buckets.Count; bucket++) exchange.Release(bucket);
        exchange.Complete(patience);
    }

    /// <summary>Compares a silo's result with the reference, bit by bit.</summary>
    public void Check(int silo, int seed, long spoil = -1)
    {
        var found = false;
        foreach (var range in ranges)
        {
            var expected = Reference(range, seed, spoil);
            var actual = new ReadOnlySpan<float>((float*)reduced[silo] + range.Offset, (int)range.Count);
            Assert.Equal(expected is not null, Buffers[silo].Touched[range.Parameter]);
            expected ??= new float[range.Count];
            for (var i = 0; i < expected.Length; i++)
            {
                found |= !float.IsFinite(expected[i]);
                expected[i] = expected[i] * Inverse * Mean;
            }
            Assert.True(MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)), $"parameter {range.Parameter} on silo {silo}");
        }
        Assert.Equal(found, Buffers[silo].FoundInf);
        Assert.Equal(Enumerable.Range(0, Plan.SiloRuns[^1].End).Select(m => Loss(seed, m)), Buffers[silo].Losses);
        for (var block = 0; block < elements / BlockPlan.BlockElements; block++)
            Assert.Equal(HostKernels.SumOfSquares((float*)reduced[silo] + (block * BlockPlan.BlockElements), BlockPlan.BlockElements), Buffers[silo].BlockNorms[block]);
    }

    public void Dispose()
    {
        foreach (var address in memory) NativeMemory.AlignedFree((void*)address);
        memory.Clear();
    }

    private ExchangeBuffers Open(int silo)
    {
        var first = shares[..silo].Sum();
        var silos = new ExchangeSilos(
            "rig", 3, [.. shares.Select((_, i) => $"silo-{i}")], silo, [.. shares.Select((_, i) => shares[..i].Sum())], "same everywhere", shares[silo]);
        return new ExchangeBuffers(silos, Plan, ranges, rankRuns[first..(first + shares[silo])], ranges.Length, elements, reduced[silo]);
    }

    private GradientPartial Partial(MicroBatchRun run, int seed, long spoil)
    {
        var partial = new GradientPartial(run.Start, run.End, ranges.Length);
        foreach (var range in ranges)
        {
            if (Values(range, run, seed, spoil) is not { } values) continue;
            var address = Allocate(range.Count);
            values.CopyTo(new Span<float>((void*)address, values.Length));
            partial.Sources[range.Parameter] = new GradientSource(address, false);
        }
        return partial;
    }

    private static float[]? Values(FlatRange range, MicroBatchRun run, int seed, long spoil)
    {
        var random = new Random(HashCode.Combine(seed, run.Start, run.End, range.Parameter));
        if (random.Next(4) == 0) return null;
        var values = new float[range.Count];
        for (var i = 0; i < values.Length; i++) values[i] = random.NextSingle() - 0.5f;
        if (run.Start == 0 && spoil >= 0 && spoil < values.Length) values[spoil] = float.PositiveInfinity;
        return values;
    }

    private float[]? Reference(FlatRange range, int seed, long spoil) => CanonicalTree.Fold(
        rankRuns.SelectMany(CanonicalTree.Partials).Select(run => (run.Start, run.End, Values(range, run, seed, spoil))),
        (left, right) => left is null ? right : right is null ? left : [.. left.Zip(right, (a, b) => a + b)]);

    private nint Allocate(long count)
    {
        var address = (nint)NativeMemory.AlignedAlloc((nuint)(count * sizeof(float)), 64);
        new Span<float>((void*)address, (int)count).Clear();
        memory.Add(address);
        return address;
    }
}
