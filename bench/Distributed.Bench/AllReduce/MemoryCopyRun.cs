using System.Diagnostics;
using System.Runtime.InteropServices;
using Distributed.Bench.Figures;
using Distributed.Training.Native;

namespace Distributed.Bench.AllReduce;

/// <summary>The limit of memory: threads of this process copy so many bytes, a run each.</summary>
public static unsafe class MemoryCopyRun
{
    private const int WarmUp = 3;

    /// <returns>
    /// Seconds of each copy: what its slowest thread took for its own run. How far apart they begin is the meeting's, not the memory's.
    /// </returns>
    public static double[] Run(long bytes, int threads, int iterations)
    {
        HostAllocator.Tune();
        var (from, to) = (Allocate(bytes), Allocate(bytes));
        try
        {
            var seconds = new double[iterations];
            var ticks = new long[threads];
            using var team = new ThreadTeam(threads, () => { });
            team.Run(thread =>
            {
                var (start, end) = (bytes * thread / threads, bytes * (thread + 1) / threads);
                for (var i = -WarmUp; i < iterations; i++)
                {
                    team.Meet();
                    var started = Stopwatch.GetTimestamp();
                    Buffer.MemoryCopy((byte*)from + start, (byte*)to + start, end - start, end - start);
                    ticks[thread] = Stopwatch.GetTimestamp() - started;
                    team.Meet();
                    if (thread == 0 && i >= 0) seconds[i] = ticks.Max() / (double)Stopwatch.Frequency;
                }
            });
            return seconds;
        }
        finally
        {
            NativeMemory.AlignedFree((void*)from);
            NativeMemory.AlignedFree((void*)to);
        }
    }

    private static nint Allocate(long bytes)
    {
        var address = (nint)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear((void*)address, (nuint)bytes);
        return address;
    }
}
