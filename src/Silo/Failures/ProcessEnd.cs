using System.Runtime.InteropServices;

namespace Distributed.Silo.Failures;

/// <summary>The end of this process, at once and whatever its threads do.</summary>
internal static class ProcessEnd
{
    /// <summary>What a shell shows for a process that SIGKILL ended.</summary>
    private const int Killed = 128 + 9;

    private static readonly TimeSpan LastWordsDeadline = TimeSpan.FromMilliseconds(500);

    /// <summary>Says why on stderr first, if somebody listens: loggers write later than this process lives.</summary>
    public static void Now(string why)
    {
        var saying = new Thread(() => Console.Error.WriteLine($"dtrain-silo: {why}")) { IsBackground = true, Name = "last words" };
        saying.Start();
        saying.Join(LastWordsDeadline);
        Now();
    }

    /// <remarks>No signal: the first process of a container is one that cannot kill itself.</remarks>
    public static void Now() => Exit(Killed);

    /// <summary>With what was written so far.</summary>
    public static void With(int code)
    {
        Console.Out.Flush();
        Console.Error.Flush();
        Exit(code);
    }

    [DllImport("libc", EntryPoint = "_exit"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Exit(int code);
}
