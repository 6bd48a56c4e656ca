using System.Diagnostics;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Training.Devices;
using Distributed.Training.Exchange;
using Distributed.Training.Kernels;
using Distributed.Training.Native;
using Distributed.Training.Ranks;
using Distributed.Training.Reduction;

namespace Distributed.Bench.AllReduce;

/// <summary>One silo's part of timed all-reduces: its ranks, their gradients, and the way to the other silos.</summary>
public sealed unsafe class AllReduceRun : IDisposable
{
    private const int WarmUp = 3;
    private readonly int ranks;
    private readonly int worldSize;
    private readonly int firstRank;
    private readonly long elements;
    private readonly FlatRange[] ranges;
    private readonly nint reduced;
    private readonly nint[] gradients;
    private readonly GradientPartial[] partials;
    private readonly IReadOnlyList<BlockRun> owned;
    private readonly RankBarrier barrier;
    private readonly IGradientExchange? exchange;

    /// <param name="ranksBySilo">Ranks by silo, in rank order.</param>
    /// <param name="silo">This silo's place.</param>
    /// <param name="id">Names the run to the other silos.</param>
    /// <param name="bytes">Size of the gradient, a multiple of 4.</param>
    /// <param name="factory">The way to the other silos; null where there is one.</param>
    public AllReduceRun(IReadOnlyList<int> ranksBySilo, int silo, string id, long bytes, IExchangeFactory? factory)
    {
        (ranks, worldSize, firstRank) = (ranksBySilo[silo], ranksBySilo.Sum(), ranksBySilo.Take(silo).Sum());
        elements = bytes / sizeof(float);
        ranges = [new FlatRange(0, 0, elements)];
        var padded = BlockPlan.Blocks(elements) * BlockPlan.BlockElements;
        reduced = Allocate(padded);
        gradients = [.. Enumerable.Range(0, ranks).Select(_ => Allocate(padded))];
        for (var rank = 0; rank < ranks; rank++)
            for (long i = 0; i < elements; i++) ((float*)gradients[rank])[i] = Value(firstRank + rank, i);
        partials = [.. Enumerable.Range(0, ranks).Select(Partial)];
        owned = BlockPlan.Deal(padded, ranks);
        barrier = new RankBarrier(
            [.. Enumerable.Range(firstRank, ranks).Select(r => new Rank(r))], $"silo-{silo}", TimeSpan.FromMinutes(1));
        if (factory is null) return;

        List<int> firstRanks = [.. ranksBySilo.Select((_, i) => ranksBySilo.Take(i).Sum())];
        var silos = new ExchangeSilos(
            JobId.Parse(id), Generation.First, [.. ranksBySilo.Select((_, i) => $"silo-{i}")], silo, firstRanks,
            $"all-reduce of {bytes} bytes", ranks);
        var job = new ExchangeJob(
            silos, [.. Enumerable.Range(0, worldSize).Select(r => new MicroBatchRun(r, r + 1))], ranges, barrier,
            new ReducedGradient(reduced, padded, 1, worldSize), CpuDevice.Instance);
        for (var rank = 0; rank < ranks; rank++) job.Partials[rank] = [partials[rank]];
        exchange = factory.Open(job);
    }

    /// <summary>Runs all-reduces on the silo's rank threads.</summary>
    /// <returns>
    /// Seconds of each, from the first rank's start to the last one's end, and the elements of the result that are wrong.
    /// </returns>
    public (double[] Seconds, long Wrong) Run(int iterations)
    {
        var seconds = new double[iterations];
        var raised = new Exception?[ranks];
        var threads = Enumerable.Range(0, ranks).Select(rank => new Thread(() =>
        {
            try
            {
                Work(rank, seconds);
            }
#pragma warning disable CA1031 // The thread's top: thrown on by the caller.
            catch (Exception e)
#pragma warning restore CA1031
            {
                raised[rank] = e;
                barrier.Break(e);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        if (raised.FirstOrDefault(e => e is JobException) is { } job) throw job;
        if (raised.FirstOrDefault(e => e is not null) is { } error) throw new InvalidOperationException("An all-reduce failed.", error);
        return (seconds, CountWrong());
    }

    public void Dispose()
    {
        exchange?.Dispose();
        NativeMemory.AlignedFree((void*)reduced);
        foreach (var gradient in gradients) NativeMemory.AlignedFree((void*)gradient);
    }

    private void Work(int rank, double[] seconds)
    {
        using var reducer = new BlockReducer(ranges, CpuDevice.Instance);
        var program = FoldProgram.For(partials.Select((_, i) => (i, i + 1)));
        for (var i = -WarmUp; i < seconds.Length; i++)
        {
            var step = i + WarmUp + 1;
            barrier.Meet(rank, "start", i, () => exchange?.Begin(step, new GradientFactors(1, 1)));
            var started = Stopwatch.GetTimestamp();
            if (exchange is null)
            {
                reducer.Sum(owned[rank], partials, program, reduced + (nint)(owned[rank].Start * sizeof(float)));
                barrier.Meet(rank, "sum", i);
            }
            else
            {
                // All buckets are there at once.
                if (rank == 0)
                    for (var bucket = 0; bucket < exchange.Buckets.Count; bucket++) exchange.Release(bucket);
                exchange.Reduce(rank, TimeSpan.FromMinutes(1));
            }
            if (rank == 0 && i >= 0) seconds[i] = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
    }

    /// <summary>Small whole numbers, so that any order of addition gives the same sum.</summary>
    private static float Value(int rank, long element) => ((element * 7) + (rank * 13)) & 1023;

    private long CountWrong()
    {
        long wrong = 0;
        for (long i = 0; i < elements; i++)
        {
            var expected = 0f;
            for (var rank = 0; rank < worldSize; rank++) expected += Value(rank, i);
            if (((float*)reduced)[i] != expected) wrong++;
        }
        return wrong;
    }

    private GradientPartial Partial(int rank)
    {
        var partial = new GradientPartial(firstRank + rank, firstRank + rank + 1, 1);
        partial.Sources[0] = new GradientSource(gradients[rank], false);
        return partial;
    }

    private static nint Allocate(long count)
    {
        HostAllocator.Tune();
        var address = (nint)NativeMemory.AlignedAlloc((nuint)(count * sizeof(float)), 64);
        NativeMemory.Clear((void*)address, (nuint)(count * sizeof(float)));
        return address;
    }
}
