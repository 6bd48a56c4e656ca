using System.Runtime.InteropServices;

namespace Distributed.Client.Following;

/// <summary>Whether anybody still reads what this program writes to stdout.</summary>
/// <remarks>
/// .NET swallows the error of a write into a pipe without a reader, and a program that follows a job may write nothing for hours: the
/// system is asked instead.
/// </remarks>
internal static class OutputReader
{
    private const int StandardOutput = 1;
    private const short Failed = 0x8, HungUp = 0x10;

    /// <returns>
    /// True: stdout is a pipe or socket whose other end is closed. A file has always room for more, and of a terminal's end SIGHUP tells.
    /// </returns>
    public static bool IsGone() => Console.IsOutputRedirected && IsGone(StandardOutput);

    /// <param name="handle">Of the writing end.</param>
    internal static bool IsGone(int handle)
    {
        if (OperatingSystem.IsWindows()) return false;
        PollRequest request = new() { Handle = handle };
        return Poll(ref request, 1, 0) == 1 && (request.Found & (Failed | HungUp)) != 0;
    }

    [DllImport("libc", EntryPoint = "poll"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Poll(ref PollRequest requests, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int Handle;
        public short Wanted;
        public short Found;
    }
}
