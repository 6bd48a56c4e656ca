using System.Runtime.InteropServices;

namespace Distributed.Client.Following;

/// <summary>
/// What asks a command that goes on and on for its orderly end: Ctrl-C and SIGTERM, of which a later one ends at once; SIGHUP; and a stdout
/// that nobody reads any more.
/// </summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>One keystroke can reach a process twice, directly and through its group (timeout(1) does so).</summary>
    private static readonly TimeSpan SameKeystroke = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(500);

    /// <summary>A user who asked once may ask again until the process has ended, and must not change the exit code by that.</summary>
    private static Interruption? heardToTheEnd;

    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource asked = new();
    private readonly CancellationTokenSource atOnce = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private ITimer? looking;
    private long? first;
    private bool over;

    private Interruption(TimeProvider time) => this.time = time;

    public CancellationToken Asked => asked.Token;

    public CancellationToken AtOnce => atOnce.Token;

    /// <value>Nobody reads stdout any more; that is why the end was asked for.</value>
    public bool ReaderIsGone { get; private set; }

    /// <remarks>A signal that was ignored at the start stays so: nohup keeps SIGHUP away.</remarks>
    public static Interruption Listen(TimeProvider time)
    {
        Interruption interruption = new(time);
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            interruption.registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                if (signal == PosixSignal.SIGHUP) interruption.OnHangUp();
                else interruption.OnSignal();
            }));
        }
        interruption.Watch(OutputReader.IsGone);
        return interruption;
    }

    /// <summary>For tests: nothing is listened to.</summary>
    internal static Interruption Deaf(TimeProvider time) => new(time);

    /// <summary>Looks for the reader of stdout now and then.</summary>
    internal void Watch(Func<bool> isReaderGone) => looking = time.CreateTimer(
        _ =>
        {
            if (isReaderGone()) OnReaderGone();
        },
        null,
        LookPeriod,
        LookPeriod);

    /// <summary>The terminal has closed. It says so more than once, and insists on nothing by that.</summary>
    internal void OnHangUp() => Ask(() => { });

    /// <summary>Nobody reads stdout any more.</summary>
    internal void OnReaderGone() => Ask(() => ReaderIsGone = true);

    private void Ask(Action note)
    {
        lock (gate)
        {
            if (over || asked.IsCancellationRequested) return;
            note();
            asked.Cancel();
        }
    }

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

    /// <summary>
    /// Ends the asking. Later signals are without effect where one was heard; otherwise they end the process as they do by default.
    /// </summary>
    public void Dispose()
    {
        lock (gate) over = true;
        looking?.Dispose();
        if (!asked.IsCancellationRequested) registrations.ForEach(registration => registration.Dispose());
        else heardToTheEnd = this;
        asked.Dispose();
        atOnce.Dispose();
    }
}
