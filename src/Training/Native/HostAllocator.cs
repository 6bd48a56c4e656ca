using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>Keeps freed blocks in the process: glibc would return large ones to the kernel, and every step would pay the page faults again.</summary>
/// <remarks>Acts once, before libtorch allocates. <c>DTRAIN_MALLOC=default</c> leaves glibc as it is, for comparisons.</remarks>
internal static partial class HostAllocator
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;

    /// <returns>What was set, for reports.</returns>
    public static string Tune()
    {
        if (Environment.GetEnvironmentVariable("DTRAIN_MALLOC") == "default") return "glibc defaults";
        if (!OperatingSystem.IsLinux()) return "untouched";
        try
        {
            var ok = Set(MmapThreshold, 1 << 30) & Set(TrimThreshold, int.MaxValue) & Set(TopPad, 64 << 20);
            return ok == 1 ? "freed blocks are kept" : "mallopt refused";
        }
        catch (EntryPointNotFoundException)
        {
            return "no mallopt in this C library";
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Set(int parameter, int value);
}
