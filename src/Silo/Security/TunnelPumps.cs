using System.Net.Security;
using System.Net.Sockets;

namespace Distributed.Silo.Security;

/// <summary>
/// Moves the bytes of one connection through TLS, both ways, each on a thread of its own; an end or a break on one side is one
/// on the other at once.
/// </summary>
internal sealed class TunnelPumps(SslStream tls, Socket wire, Socket local, Action<TunnelPumps> ended)
{
    public const int BufferBytes = 256 * 1024;
    private int directions = 2;
    private int closed;

    public void Start()
    {
        local.NoDelay = true;
        new Thread(Out) { IsBackground = true, Name = "exchange tunnel out" }.Start();
        new Thread(In) { IsBackground = true, Name = "exchange tunnel in" }.Start();
    }

    /// <summary>Breaks the connection on both sides; what is on its way is lost.</summary>
    public void Abort() => Close(broken: true);

    private void Out() => Run(() =>
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        while (local.Receive(buffer) is > 0 and var count)
        {
            tls.Write(buffer, 0, count);
            tls.Flush();
        }
        // TLS's own farewell would touch its state beside the other thread; frames carry their own seals.
        wire.Shutdown(SocketShutdown.Send);
    });

    private void In() => Run(() =>
    {
        var buffer = GC.AllocateUninitializedArray<byte>(BufferBytes);
        while (tls.Read(buffer, 0, buffer.Length) is > 0 and var count)
            for (var sent = 0; sent < count;) sent += local.Send(buffer.AsSpan(sent, count - sent));
        local.Shutdown(SocketShutdown.Send);
    });

    private void Run(Action direction)
    {
        try
        {
            direction();
            if (Interlocked.Decrement(ref directions) == 0) Close(broken: false);
        }
#pragma warning disable CA1031 // The thread's top: whatever broke, the connection is broken.
        catch (Exception)
#pragma warning restore CA1031
        {
            Close(broken: true);
        }
    }

    private void Close(bool broken)
    {
        if (Interlocked.Exchange(ref closed, 1) == 1) return;
        Close(wire, broken);
        Close(local, broken);
        ended(this);
    }

    private static void Close(Socket socket, bool broken)
    {
        // A reset reaches who waits on the other side even behind bytes that nobody will read.
        if (broken) socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }
}
