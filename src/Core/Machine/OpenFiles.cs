using System.Runtime.InteropServices;

namespace Distributed.Core.Machine;

/// <summary>How many files and connections this process may have open at once.</summary>
/// <remarks>The runtime raises the soft limit to the hard one when it starts, so the hard one counts.</remarks>
public static class OpenFiles
{
    private const int OpenFilesResource = 7;

    /// <summary>Why a program that needs so many cannot work here; null when it can.</summary>
    /// <param name="program">As users call it.</param>
    public static string? Refuse(string program, long least) => Refuse(program, least, Allowed());

    /// <inheritdoc cref="Refuse(string, long)"/>
    public static string? Refuse(string program, long least, long? allowed) => allowed < least
        ? FormattableString.Invariant($"{allowed} files may be open at once here, and {program} needs {least}: raise the hard limit, ")
            + "with 'ulimit -n 4096' in a privileged shell, LimitNOFILE= in a systemd unit, or --ulimit nofile=4096 for a container."
        : null;

    /// <returns>Null where the system does not say.</returns>
    private static long? Allowed() =>
        OperatingSystem.IsLinux() && GetLimit(OpenFilesResource, out var limits) == 0 && limits.Hard <= long.MaxValue
            ? (long)limits.Hard
            : null;

    [DllImport("libc", EntryPoint = "getrlimit"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetLimit(int resource, out Limits limits);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public ulong Soft;
        public ulong Hard;
    }
}
