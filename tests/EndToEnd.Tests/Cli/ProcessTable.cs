using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Distributed.EndToEnd.Tests.Cli;

/// <summary>The kernel's list of processes.</summary>
internal static class ProcessTable
{
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;

    public static TimeSpan PollInterval { get; } = TimeSpan.FromMilliseconds(50);

    public static IReadOnlyList<int> ChildrenOf(int parent) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(directory =>
                int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && Look(id) is { } found && found.Parent == parent),
    ];

    /// <summary>The children of a process once there are so many.</summary>
    public static async Task<IReadOnlyList<int>> ReachChildrenAsync(int parent, int count, TimeSpan within)
    {
        var time = TimeProvider.System;
        for (var begin = time.GetTimestamp(); ; await Task.Delay(PollInterval, time))
        {
            if (ChildrenOf(parent) is var children && children.Count >= count) return children;
            Assert.True(
                time.GetElapsedTime(begin) <= within, $"Process {parent} did not start {count} others within {within.TotalSeconds} s.");
        }
    }

    /// <summary>Waits until it is so; the time only ends a hang.</summary>
    public static async Task ReachAsync(Func<bool> so, TimeSpan within)
    {
        var time = TimeProvider.System;
        for (var begin = time.GetTimestamp(); !so(); await Task.Delay(PollInterval, time))
            Assert.True(time.GetElapsedTime(begin) <= within, $"Not so within {within.TotalSeconds} s.");
    }

    /// <summary>True as soon as none of the processes runs any more; false when one still does after the time.</summary>
    /// <remarks>A zombie has ended: who should have collected it was killed.</remarks>
    public static async Task<bool> HaveEndedAsync(IReadOnlyList<int> processes, TimeSpan within)
    {
        var time = TimeProvider.System;
        var begin = time.GetTimestamp();
        while (processes.Any(id => Look(id) is { State: not ('Z' or 'X') }))
        {
            if (time.GetElapsedTime(begin) > within) return false;
            await Task.Delay(PollInterval, time);
        }
        return true;
    }

    /// <summary>
    /// A shell's job in the background, or one under nohup, ignores signals and hands that down; the programs tested are to hear theirs.
    /// </summary>
#pragma warning disable CA2255 // A test project: nothing else runs before its tests.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void HearSignals()
    {
        var mask = File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..];
        var ignored = ulong.Parse(mask.Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        foreach (var signal in new[] { SigHup, SigInt, SigTerm })
            if ((ignored >> (signal - 1) & 1) != 0) _ = SetAction(signal, action: 0);
    }

    public static void Signal(int process, int signal) => Assert.Equal(0, Send(process, signal));

    /// <returns>False: the process has ended.</returns>
    public static bool TrySignal(int process, int signal) => Send(process, signal) == 0;

    [DllImport("libc", EntryPoint = "kill"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int process, int signal);

    [DllImport("libc", EntryPoint = "signal"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SetAction(int signal, nint action);

    private static (char State, int Parent)? Look(int id)
    {
        try
        {
            // "pid (name) state parent ...", where the name may hold anything.
            var text = File.ReadAllText($"/proc/{id}/stat");
            var rest = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (rest[0][0], int.Parse(rest[1], CultureInfo.InvariantCulture));
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
