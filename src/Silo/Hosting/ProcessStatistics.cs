using System.Diagnostics;
using System.Runtime.CompilerServices;
using Orleans.Statistics;

namespace Distributed.Silo.Hosting;

/// <summary>
/// What this process uses, read when Orleans asks, once a minute. Its own provider has the runtime report some thirty
/// counters every second.
/// </summary>
internal sealed class ProcessStatistics : IEnvironmentStatisticsProvider
{
    private readonly Lock gate = new();
    private long lastAsked = Stopwatch.GetTimestamp();
    private TimeSpan lastUsed = Environment.CpuUsage.TotalTime;

    /// <returns>Percent of all cores since the call before, and bytes of the managed heap.</returns>
    public EnvironmentStatistics GetEnvironmentStatistics()
    {
        var memory = GC.GetGCMemoryInfo();
        var most = memory.TotalAvailableMemoryBytes;
        var used = Math.Clamp(memory.TotalCommittedBytes - memory.FragmentedBytes, 0, most);
        var percent = Percent();
        return Create(percent, percent, used, used, most - used, most - used, most);
    }

    private float Percent()
    {
        lock (gate)
        {
            var (now, total) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var percent = (total - lastUsed) / Stopwatch.GetElapsedTime(lastAsked, now) * 100 / Environment.ProcessorCount;
            (lastAsked, lastUsed) = (now, total);
            return (float)Math.Clamp(percent, 0, 100);
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern EnvironmentStatistics Create(
        float cpuUsagePercentage, float rawCpuUsagePercentage, long memoryUsageBytes, long rawMemoryUsageBytes, long availableMemoryBytes,
        long rawAvailableMemoryBytes, long maximumAvailableMemoryBytes);
}
