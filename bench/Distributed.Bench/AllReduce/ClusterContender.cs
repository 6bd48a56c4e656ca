using System.Collections.Immutable;
using Distributed.Bench.Baselines;
using Distributed.Bench.Cluster;
using Distributed.Bench.Figures;
using Distributed.Bench.Settings;
using Distributed.Core.DataSets;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;

namespace Distributed.Bench.AllReduce;

/// <summary>Runs on silos of the cluster: ours, or as many bytes over plain sockets between the same processes.</summary>
internal sealed class ClusterContender(BenchCluster cluster, AllReduceCase item, AllReduceWay way, string name) : IAllReduceContender
{
    private static readonly TimeSpan MeetDeadline = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(10);
    private static int runs;

    public string Name => name;

    public async Task<IReadOnlyList<AllReduceFigure>> Run(IReadOnlyList<SizedRun> sizes)
    {
        var figures = new List<AllReduceFigure>();
        foreach (var size in sizes)
        {
            var results = await RunOnAll(size);
            if (results.FirstOrDefault(r => r.Error is not null)?.Error is { } error)
                throw new JobException(error.Code, $"{item.Name}, {ByteSize.Text(size.Bytes)}, silo {error.Silo}: {error.Message}");
            var slowest = Enumerable.Range(0, size.Iterations).Select(i => results.Max(r => r.Seconds[i]));
            figures.Add(
                new AllReduceFigure(size.Bytes, BenchMath.Median(slowest), way == AllReduceWay.Sockets ? null : results.Sum(r => r.Wrong)));
        }
        return figures;
    }

    private async Task<AllReduceResult[]> RunOnAll(SizedRun size)
    {
        var id = $"all-reduce-{Interlocked.Increment(ref runs)}";
        ImmutableArray<int> shares = [.. Enumerable.Repeat(item.RanksPerSilo, item.Silos)];
        var silos = cluster.Silos.Take(item.Silos).ToList();
        if (item.Silos > 1)
            await cluster.Grains.GetGrain<ICoordinatorGrain>(id)
                .Open(new GenerationSetup(Generation.First, Spec(), [.. silos.Select(s => s.Name)], MeetDeadline, MeetDeadline));
        return await Task.WhenAll(silos.Select((s, i) => RunOn(
            cluster.Grains.GetGrain<IAllReduceGrain>($"{s.Address.ToParsableString()}/{id}"),
            new AllReduceOrder(id, way, shares, i, s.Name, silos[0].Name, size.Bytes, size.Iterations, MeetDeadline))));
    }

    private async Task<AllReduceResult> RunOn(IAllReduceGrain part, AllReduceOrder order)
    {
        await part.Start(order);
        while (true)
            if (await part.End(LongestPoll).WaitAsync(cluster.Cancel) is { } result) return result;
    }

    /// <summary>A coordinator wants a job; of this one no step is ever run.</summary>
    private static string Spec() => JobSpecJson.Write(new JobSpec
    {
        Name = "bench",
        Model = ModelSpec.Of(new SimpleCnnOptions()),
        Data = DataSpec.Of(new ShapesOptions()),
        GlobalBatch = 4,
        MicroBatch = 1,
        Steps = 1,
    });
}
