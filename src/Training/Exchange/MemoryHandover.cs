using System.Net.Sockets;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>How two silos of one machine, proven to each other over a Unix socket, come to share memory.</summary>
/// <remarks>
/// The silo that was called makes the memory and sends its descriptor; the caller says whether it could map it. If either cannot, both
/// stay with the socket.
/// </remarks>
internal static class MemoryHandover
{
    private const byte No = 0, Yes = 1;

    /// <summary>The part of the silo that was called; blocks.</summary>
    /// <param name="socket">Proven; taken over unless this throws.</param>
    /// <exception cref="IOException">The connection broke or stayed silent.</exception>
    public static IPeerStream Give(Socket socket)
    {
        var rings = SharedRings.Create(out var memory);
        try
        {
            if (!Held(socket, fd => SendDescriptor(fd, memory))) throw new IOException("it closed the connection");
            var answer = new byte[1];
            Wait(socket);
            if (socket.Receive(answer) != 1) throw new IOException("it closed the connection");
            if (rings is null || answer[0] != Yes)
            {
                rings?.Dispose();
                return new SocketStream(socket);
            }
            return new SharedStream(socket, rings, isMaker: true);
        }
        catch
        {
            rings?.Dispose();
            throw;
        }
        finally
        {
            if (memory >= 0) _ = Close(memory);
        }
    }

    /// <summary>The caller's part; blocks.</summary>
    /// <inheritdoc cref="Give"/>
    public static IPeerStream Take(Socket socket)
    {
        Wait(socket);
        var memory = Held(socket, ReceiveDescriptor);
        var rings = memory < 0 ? null : SharedRings.Map(memory);
        if (memory >= 0) _ = Close(memory);
        try
        {
            socket.Send([rings is null ? No : Yes]);
        }
        catch
        {
            rings?.Dispose();
            throw;
        }
        return rings is null ? new SocketStream(socket) : new SharedStream(socket, rings, isMaker: false);
    }

    /// <summary>Calls with a socket's descriptor, which stays that socket's even if another thread closes it meanwhile.</summary>
    private static T Held<T>(Socket socket, Func<int, T> call)
    {
        var held = false;
        try
        {
            socket.SafeHandle.DangerousAddRef(ref held);
            return call((int)socket.SafeHandle.DangerousGetHandle());
        }
        finally
        {
            if (held) socket.SafeHandle.DangerousRelease();
        }
    }

    private static void Wait(Socket socket)
    {
        if (!socket.Poll(PeerHandshake.LongestGreeting, SelectMode.SelectRead)) throw new IOException("it stayed silent");
    }
}
