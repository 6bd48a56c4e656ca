using System.Runtime.InteropServices;

namespace Distributed.Client.Runs;

/// <summary>Ctrl-C and SIGTERM: the first asks for an orderly end, a later one ends at once.</summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>One keystroke can reach a process twice, directly and through its group (timeout(1) does so).</summary>
    private static readonly TimeSpan SameKeystroke = TimeSpan.FromMilliseconds(500);

    /// <summary>Whoever asked once may ask again until the process has ended, and must not change the exit code by that.</summary>
    private static Interruption? heardToTheEnd;

    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource asked = new();
    private readonly CancellationTokenSource atOnce = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private long? first;
    private bool over;

    private Interruption(TimeProvider time) => this.time = time;

    public CancellationToken Asked => asked.Token;

    public CancellationToken AtOnce => atOnce.Token;

    public static Interruption Listen(TimeProvider time)
    {
        Interruption interruption = new(time);
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            interruption.registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                interruption.OnSignal();
            }));
        }
        return interruption;
    }

    /// <summary>For tests: nothing is listened to.</summary>
    internal static Interruption Deaf(TimeProvider time) => new(time);

    internal void OnSignal()
    {
        lock (gate)
        {
            if (over) return;
            var now = time.GetTimestamp();
            if (first is { } before && time.GetElapsedTime(before, now) < SameKeystroke) return;
            (first is null ? asked : atOnce).Cancel();
            first ??= now;
        }
    }

    /// <summary>Shells start background jobs with SIGINT ignored, and .NET keeps to that; a run must still end in order.</summary>
    /// <remarks>Comes before the runtime looks at the signals, hence before the console is used.</remarks>
    public static void HearInBackground()
    {
        const int sigint = 2;
        if (!OperatingSystem.IsWindows()) _ = SetSignalAction(sigint, action: 0);
    }

    [DllImport("libc", EntryPoint = "signal"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint SetSignalAction(int signal, nint action);

    /// <summary>Ends the asking. Later signals are without effect where one was heard; otherwise they end the process as they do by default.</summary>
    public void Dispose()
    {
        lock (gate) over = true;
        if (first is null) registrations.ForEach(registration => registration.Dispose());
        else heardToTheEnd = this;
        asked.Dispose();
        atOnce.Dispose();
    }
}
