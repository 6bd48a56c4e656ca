using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Training.Devices;
using Distributed.Training.Exchange;
using Distributed.Training.Kernels;
using Distributed.Training.Ranks;
using Distributed.Training.Reduction;

namespace Distributed.Testing.Training;

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
        Jobs = [.. shares.Select((_, i) => Open(i))];
    }

    public ExchangePlan Plan { get; }

    /// <summary>By silo: what its exchange is opened with.</summary>
    public ExchangeJob[] Jobs { get; }

    public int Silos => shares.Length;

    /// <summary>Makes the gradients of a step; some are absent, as the seed says.</summary>
    /// <param name="spoil">An element of micro-batch 0 that becomes infinite; -1: none.</param>
    public void Draw(int seed, long spoil = -1)
    {
        for (int silo = 0, rank = 0; silo < shares.Length; silo++)
            for (var local = 0; local < shares[silo]; local++, rank++)
                Jobs[silo].Partials[local] = [.. CanonicalTree.Partials(rankRuns[rank]).Select(run => Partial(run, seed, spoil))];
        for (var silo = 0; silo < shares.Length; silo++)
            for (var m = Plan.SiloRuns[silo].Start; m < Plan.SiloRuns[silo].End; m++) Jobs[silo].Reduced.Losses[m] = Loss(seed, m);
    }

    public static double Loss(int seed, int microBatch) => (seed * 31.0) + (microBatch * 0.1);

    /// <summary>One step of one silo, from its opening to the whole result; each of its ranks on a thread of its own.</summary>
    /// <param name="order">In which buckets leave; null: as they lie.</param>
    public void Step(int silo, IGradientExchange exchange, long step, TimeSpan patience, IEnumerable<int>? order = null)
    {
        exchange.Begin(step, new GradientFactors(Inverse, Mean));
        foreach (var bucket in order ?? Enumerable.Range(0, exchange.Buckets.Count)) exchange.Release(bucket);
        var raised = new Exception?[shares[silo]];
        var others = Enumerable.Range(1, shares[silo] - 1).Select(rank => new Thread(() => Reduce(rank))).ToList();
        others.ForEach(t => t.Start());
        Reduce(0);
        others.ForEach(t => t.Join());
        if ((Array.Find(raised, e => e is JobException) ?? Array.Find(raised, e => e is not null)) is { } error)
            ExceptionDispatchInfo.Throw(error);

        void Reduce(int rank)
        {
            raised[rank] = Record.Exception(() => exchange.Reduce(rank, patience));
            if (raised[rank] is { } reason) Jobs[silo].Barrier.Break(reason);
        }
    }

    /// <summary>Compares a silo's result with the reference, bit by bit.</summary>
    public void Check(int silo, int seed, long spoil = -1)
    {
        var found = false;
        foreach (var range in ranges)
        {
            var expected = Reference(range, seed, spoil);
            var actual = new ReadOnlySpan<float>((float*)reduced[silo] + range.Offset, (int)range.Count);
            Assert.Equal(expected is not null, Jobs[silo].Reduced.Touched[range.Parameter]);
            expected ??= new float[range.Count];
            for (var i = 0; i < expected.Length; i++)
            {
                found |= !float.IsFinite(expected[i]);
                expected[i] = expected[i] * Inverse * Mean;
            }
            Assert.True(
                MemoryMarshal.AsBytes<float>(expected).SequenceEqual(MemoryMarshal.AsBytes(actual)),
                $"parameter {range.Parameter} on silo {silo}");
        }
        Assert.Equal(found, Jobs[silo].Reduced.FoundInf);
        Assert.Equal(Enumerable.Range(0, Plan.SiloRuns[^1].End).Select(m => Loss(seed, m)), Jobs[silo].Reduced.Losses);
        for (var block = 0; block < elements / BlockPlan.BlockElements; block++)
            Assert.Equal(
                HostKernels.SumOfSquares((float*)reduced[silo] + (block * BlockPlan.BlockElements), BlockPlan.BlockElements),
                Jobs[silo].Reduced.BlockNorms[block]);
    }

    public void Dispose()
    {
        foreach (var address in memory) NativeMemory.AlignedFree((void*)address);
        memory.Clear();
    }

    private ExchangeJob Open(int silo)
    {
        var firstRanks = shares.Select((_, i) => shares[..i].Sum()).ToArray();
        var silos = new ExchangeSilos(
            JobId.Parse("rig"), new(3), [.. shares.Select((_, i) => $"silo-{i}")], silo, firstRanks, "same everywhere", shares[silo]);
        var barrier = new RankBarrier(
            [.. Enumerable.Range(firstRanks[silo], shares[silo]).Select(r => new Rank(r))], $"silo-{silo}", TimeSpan.FromMinutes(10));
        return new ExchangeJob(
            silos, rankRuns, ranges, barrier, new ReducedGradient(reduced[silo], elements, ranges.Length, Plan.SiloRuns[^1].End),
            CpuDevice.Instance);
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
