using Distributed.Bench.Cluster;
using Distributed.Bench.Figures;
using Distributed.Bench.Settings;

namespace Distributed.Bench.Latency;

/// <summary><c>bench latency</c>: two silo processes, whose grains this process calls.</summary>
internal static class LatencyCommand
{
    /// <returns>The table, and what missed its bound.</returns>
    public static async Task<(BenchSummary Summary, IReadOnlyList<string> Missed)> Run(
        BenchOptions options, Action<BenchRow> report, CancellationToken cancel)
    {
        await using var cluster = await BenchCluster.Start(2, cancel);
        return await LatencyBench.Run(
            new LatencyProbe(cluster.Grains, cluster.Train, cluster.Endpoints), options.Rounds, options.Quick, report);
    }
}
