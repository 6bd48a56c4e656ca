using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>
/// Keeps freed blocks in the process: glibc would return large ones to the kernel, and every step would pay the page faults again.
/// </summary>
/// <remarks>Acts once, before libtorch allocates. <c>DTRAIN_MALLOC=default</c> leaves glibc as it is, for comparisons.</remarks>
internal static partial class HostAllocator
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;

    private static bool tuned;

    /// <returns>What was set, for reports.</returns>
    public static string Tune()
    {
        if (Environment.GetEnvironmentVariable("DTRAIN_MALLOC") == "default") return "glibc defaults";
        if (!OperatingSystem.IsLinux()) return "untouched";
        try
        {
            var ok = Set(MmapThreshold, 1 << 30) & Set(TrimThreshold, int.MaxValue) & Set(TopPad, 64 << 20);
            tuned = ok == 1;
            return tuned ? "freed blocks are kept" : "mallopt refused";
        }
        catch (EntryPointNotFoundException)
        {
            return "no mallopt in this C library";
        }
    }

    /// <summary>
    /// Gives back what is free, once: after work whose blocks are so much larger than a step's that they fit no place a step left.
    /// </summary>
    /// <remarks>
    /// Without it such blocks pile up behind the small ones that were allocated in between, and resident memory grows
    /// for thousands of steps.
    /// </remarks>
    public static void Trim()
    {
        if (!tuned) return;
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // A C library without it keeps its own house.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int Set(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);
}
