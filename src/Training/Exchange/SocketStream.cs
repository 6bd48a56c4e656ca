using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>A connected socket.</summary>
internal sealed unsafe class SocketStream : IPeerStream
{
    private readonly Socket socket;
    private int wakesAt = 1;

    /// <param name="socket">Taken over.</param>
    public SocketStream(Socket socket)
    {
        this.socket = socket;
        Fd = (int)socket.SafeHandle.DangerousGetHandle();
        var isTcp = socket.AddressFamily != AddressFamily.Unix;
        if (isTcp) socket.NoDelay = true;
        Kind = isTcp ? "TCP" : "a Unix socket";
    }

    public int MostSeen => 0;

    public string Kind { get; }

    public int Fd { get; }

    public int Send(Piece* pieces, nuint count)
    {
        MessageHeader message = new() { Pieces = pieces, PieceCount = count };
        var moved = SendMessage(Fd, &message, DontWait | NoSignal);
        return moved < 0 ? Refused() : (int)moved;
    }

    public int Receive(Piece* pieces, nuint count)
    {
        MessageHeader message = new() { Pieces = pieces, PieceCount = count };
        var moved = ReceiveMessage(Fd, &message, DontWait);
        if (moved == 0) throw new IOException("it closed the connection");
        return moved < 0 ? Refused() : (int)moved;
    }

    public byte* Reserve(int bytes) => null;

    public void Commit(int bytes) => throw new NotSupportedException();

    public byte* View(int bytes) => null;

    public void Skip(int bytes) => throw new NotSupportedException();

    public bool Await(int incoming, int outgoing, out short events)
    {
        events = (short)((incoming > 0 ? PollIn : 0) | (outgoing > 0 ? PollOut : 0));
        if (incoming > 0 && incoming != wakesAt) WakeAt(Fd, wakesAt = incoming);
        return true;
    }

    public void Awoke(short happened)
    {
        // What happened is found by sending and receiving.
    }

    public void EndSending() => EndSending(socket);

    /// <inheritdoc cref="IPeerStream.EndSending"/>
    internal static void EndSending(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The other side was faster.
        }
    }

    public void Dispose() => socket.Dispose();

    private static int Refused()
    {
        var error = Marshal.GetLastPInvokeError();
        return error is WouldBlock or Interrupted ? 0 : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
    }
}
