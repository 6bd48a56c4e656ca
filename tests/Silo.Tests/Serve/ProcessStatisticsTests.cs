using Distributed.Silo.Hosting;

namespace Distributed.Silo.Tests.Serve;

public sealed class ProcessStatisticsTests
{
    [Fact]
    public void GetEnvironmentStatistics_OneThreadBusy_SaysSo()
    {
        // Until the first collection the heap is said to hold nothing.
        GC.Collect();
        var statistics = new ProcessStatistics();
        for (var begin = Environment.TickCount64; Environment.TickCount64 - begin < 300;) Thread.SpinWait(100);
        var read = statistics.GetEnvironmentStatistics();
        Assert.InRange(read.RawCpuUsagePercentage, 1, 100);
        Assert.InRange(read.RawMemoryUsageBytes, 1, read.MaximumAvailableMemoryBytes);
        Assert.Equal(read.MaximumAvailableMemoryBytes, read.RawMemoryUsageBytes + read.RawAvailableMemoryBytes);
    }
}
