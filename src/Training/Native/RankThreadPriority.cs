using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>
/// Lowers the calling OS thread below the process's service threads, so that membership probes are answered under full load.
/// </summary>
/// <remarks>
/// .NET's own thread priorities do nothing on Linux. A process without service threads, as that of tests is, keeps the threads as they
/// are with the runtime option <c>Distributed.Training.KeepRankPriority</c>: beside other busy processes a lowered thread gets a
/// fraction of its share.
/// </remarks>
internal static partial class RankThreadPriority
{
    private const int WhichProcess = 0;
    private const int Niceness = 5;

    public static void LowerCurrent()
    {
        if (AppContext.TryGetSwitch("Distributed.Training.KeepRankPriority", out var keep) && keep) return;
        if (OperatingSystem.IsLinux()) _ = SetPriority(WhichProcess, ThreadId(), Niceness);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int id, int value);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int ThreadId();
}
