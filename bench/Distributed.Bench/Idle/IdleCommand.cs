using System.Diagnostics;
using Distributed.Bench.Cluster;
using Distributed.Bench.Figures;
using Distributed.Bench.Settings;

namespace Distributed.Bench.Idle;

/// <summary><c>bench idle</c>: three silo processes that nobody asks for anything.</summary>
internal static class IdleCommand
{
    /// <returns>The table, and what missed its bound.</returns>
    public static async Task<(BenchSummary Summary, IReadOnlyList<string> Missed)> Run(
        BenchOptions options, Action<BenchRow> report, CancellationToken cancel)
    {
        await using var cluster = await BenchCluster.Start(3, cancel);
        return await new IdleBench(time => Use(cluster, time, cancel)).Run(options.Rounds, options.Quick, report);
    }

    private static async Task<IReadOnlyList<(string Process, double Share)>> Use(
        BenchCluster cluster, TimeSpan time, CancellationToken cancel)
    {
        var (before, begin) = (Times(cluster), Stopwatch.GetTimestamp());
        await Task.Delay(time, TimeProvider.System, cancel);
        var elapsed = Stopwatch.GetElapsedTime(begin);
        return [.. Times(cluster).Zip(before, (after, first) => (after.Process, (after.Time - first.Time) / elapsed))];
    }

    private static List<(string Process, TimeSpan Time)> Times(BenchCluster cluster)
    {
        using var own = Process.GetCurrentProcess();
        return [.. cluster.ProcessorTimes, ("client", own.TotalProcessorTime)];
    }
}
