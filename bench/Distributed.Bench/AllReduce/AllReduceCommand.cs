using Distributed.Bench.Baselines;
using Distributed.Bench.Cluster;
using Distributed.Bench.Figures;
using Distributed.Bench.Settings;

namespace Distributed.Bench.AllReduce;

/// <summary><c>bench allreduce</c>: chooses the cases, starts their silos, finds the baselines.</summary>
internal static class AllReduceCommand
{
    private static readonly IReadOnlyList<long> Sizes = [4 << 10, 64 << 10, 1 << 20, 4 << 20, 25 << 20, 100 << 20];
    private static readonly IReadOnlyList<long> QuickSizes = [4 << 10, 64 << 10];

    public static async Task<BenchSummary> Run(BenchOptions options, Action<BenchRow> report, CancellationToken cancel)
    {
        var wanted = AllReduceCase.All.Where(c => options.Only is null || c.Name.Contains(options.Only, StringComparison.Ordinal)).ToList();
        var cases = wanted.Where(c => c.Way == AllReduceWay.Memory || AllReduceHost.Ways.Contains(c.Way)).ToList();
        if (wanted.Count == 0)
            throw new FormatException($"bench allreduce: no case's name contains '{options.Only}'; there are: "
                + $"{string.Join("; ", AllReduceCase.All.Select(c => c.Name))}.");
        List<SizedRun> sizes = [.. (options.Sizes ?? (options.Quick ? QuickSizes : Sizes)).Select(SizedRun.Of)];
        using var baselines = options.Quick ? BaselineSet.None() : await BaselineSet.Look(mpi: true, cancel);
        await using var cluster = await BenchCluster.Start(cases.Select(c => c.Silos).DefaultIfEmpty(1).Max(), cancel);
        var summary = await new AllReduceBench(item => Contenders(item, cluster, baselines)).Run(cases, sizes, options.Rounds, report);
        return summary with
        {
            Notes = [.. summary.Notes, .. baselines.Notes, .. wanted.Except(cases).Select(c => $"{c.Name}: not in this build.")],
        };
    }

    private static List<IAllReduceContender> Contenders(AllReduceCase item, BenchCluster cluster, BaselineSet baselines)
    {
        List<IAllReduceContender> all = [new ClusterContender(cluster, item, item.Way, "dtrain"), new MemoryCopyContender(item.Ranks)];
        if (item.Silos > 1) all.Add(new ClusterContender(cluster, item, AllReduceWay.Sockets, "plain sockets"));
        if (baselines.Mpi is { } mpi)
            all.AddRange(item.Silos > 1 ? [mpi.SharedMemory(item.Ranks), mpi.Tcp(item.Ranks)] : [mpi.SharedMemory(item.Ranks)]);
        if (baselines.Torch is { } torch) all.Add(torch.Gloo(item.Ranks));
        return all;
    }
}
