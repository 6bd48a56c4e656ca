using System.Globalization;
using System.Runtime.InteropServices;

namespace Distributed.Core.Machine;

/// <summary>
/// Has the system refuse this process memory beyond a limit, so that the job that asks for it fails; otherwise the kernel ends the process,
/// and with it the silo.
/// </summary>
/// <remarks>
/// RLIMIT_DATA counts private memory that can be written, touched or not (setrlimit(2)). What is there already is taken as it is, so that
/// only what comes is bound.
/// </remarks>
public static class MemoryCap
{
    private const int DataResource = 2;
    private const string DataRow = "VmData:", ResidentRow = "VmRSS:";

    /// <summary>Page tables, caches of the kernel and what else counts with the process's memory and is none of its data.</summary>
    private const double Reserve = 0.03;

    /// <param name="limit">Bytes that the process may have resident.</param>
    /// <returns>False where the system does not take it.</returns>
    public static bool Set(long limit)
    {
        if (!OperatingSystem.IsLinux() || Read(DataRow) is not { } data || Read(ResidentRow) is not { } resident
            || GetLimit(DataResource, out var limits) != 0) return false;
        limits.Soft = Math.Min((ulong)Of(limit, data, resident), limits.Hard);
        return SetLimit(DataResource, in limits) == 0;
    }

    /// <summary>Data that the process has, and may have, in bytes.</summary>
    /// <returns>Null: it has no cap.</returns>
    public static (long Used, long Most)? Use() =>
        OperatingSystem.IsLinux() && GetLimit(DataResource, out var limits) == 0 && limits.Soft < long.MaxValue && Read(DataRow) is { } data
            ? (data, (long)limits.Soft)
            : null;

    /// <summary>How much data the process may have.</summary>
    /// <param name="data">That it has.</param>
    /// <param name="resident">Memory that it has touched, libraries included.</param>
    public static long Of(long limit, long data, long resident) => data + Math.Max(0, (long)(limit * (1 - Reserve)) - resident);

    private static long? Read(string row)
    {
        try
        {
            // "VmData:     12345 kB"
            var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(row, StringComparison.Ordinal));
            return line?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, var kibi, ..]
                && long.TryParse(kibi, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) ? amount * 1024 : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "getrlimit"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetLimit(int resource, out Limits limits);

    [DllImport("libc", EntryPoint = "setrlimit"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetLimit(int resource, in Limits limits);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public ulong Soft;
        public ulong Hard;
    }
}
