using System.Runtime.InteropServices;

namespace Distributed.Silo.Lifecycle;

/// <summary>The signals that tell a silo of a cluster to leave.</summary>
/// <remarks>
/// The first leaves in peace, and a second SIGTERM or SIGINT at once. SIGHUP never insists: a terminal that closes sends it more than once,
/// and others send SIGTERM with it.
/// </remarks>
internal sealed class LeaveSignals : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource leave = new();
    private readonly CancellationTokenSource leaveNow = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private bool told;

    /// <summary>Cancelled when the silo is to hand its jobs over.</summary>
    public CancellationToken Leave => leave.Token;

    /// <summary>Cancelled when it is to wait no longer.</summary>
    public CancellationToken LeaveNow => leaveNow.Token;

    /// <remarks>A signal that was ignored at the start stays so: nohup keeps SIGHUP away.</remarks>
    public static LeaveSignals Listen()
    {
        LeaveSignals signals = new();
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP })
        {
            signals.registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                signals.On(signal);
            }));
        }

        return signals;
    }

    public void On(PosixSignal signal)
    {
        lock (gate)
        {
            if (signal != PosixSignal.SIGHUP && told) leaveNow.Cancel();
            told |= signal != PosixSignal.SIGHUP;
            leave.Cancel();
        }
    }

    public void Dispose()
    {
        registrations.ForEach(registration => registration.Dispose());
        leave.Dispose();
        leaveNow.Dispose();
    }
}
