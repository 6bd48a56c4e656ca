using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>Lowers the calling OS thread below the process's service threads, so that membership probes are answered under full load.</summary>
/// <remarks>.NET's own thread priorities do nothing on Linux.</remarks>
internal static partial class RankThreadPriority
{
    private const int WhichProcess = 0;
    private const int Niceness = 5;

    public static void LowerCurrent()
    {
        if (OperatingSystem.IsLinux()) _ = SetPriority(WhichProcess, ThreadId(), Niceness);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int id, int value);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int ThreadId();
}
