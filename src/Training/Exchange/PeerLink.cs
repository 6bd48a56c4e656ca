using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>One connection to another silo: what waits to be sent, the frame on its way out and the one on its way in. No thread of its own.</summary>
internal sealed unsafe class PeerLink : IDisposable
{
    /// <summary>Bytes a send: small enough that what comes in is looked at in between.</summary>
    private const int SendBytes = 64 * 1024;

    private readonly Socket socket;
    private readonly int fd;
    private readonly FrameSeal sealOut;
    private readonly FrameSeal sealIn;
    private readonly byte* memory;
    private ulong nextOut;
    private ulong nextIn;
    private int sent;
    private int sending;
    private byte* payloadOut;
    private int headerGot;
    private byte* payloadIn;
    private int payloadLeft;
    private byte* trailerAt;
    private int trailerLeft;

    /// <param name="socket">Connected and proven; taken over.</param>
    /// <param name="trailerBytes">Longest trailer.</param>
    /// <param name="scratchBytes">Longest payload that is made for the link, control frames included.</param>
    public PeerLink(int silo, Socket socket, FrameSeal sealOut, FrameSeal sealIn, int trailerBytes, int scratchBytes)
    {
        (Silo, this.socket, this.sealOut, this.sealIn) = (silo, socket, sealOut, sealIn);
        fd = (int)socket.SafeHandle.DangerousGetHandle();
        socket.NoDelay = true;
        const int header = 128;
        var trailers = (trailerBytes + 63) / 64 * 64;
        var scratch = (scratchBytes + 63) / 64 * 64;
        memory = (byte*)NativeMemory.AlignedAlloc((nuint)((2 * header) + (2 * trailers) + (2 * scratch)), 64);
        HeaderOut = (FrameHeader*)memory;
        HeaderIn = (FrameHeader*)(memory + header);
        TrailerOut = memory + (2 * header);
        TrailerIn = TrailerOut + trailers;
        ScratchOut = TrailerIn + trailers;
        ScratchIn = ScratchOut + scratch;
    }

    /// <value>The other silo's place.</value>
    public int Silo { get; }

    public Socket Socket => socket;

    public int Fd => fd;

    public Queue<OutgoingFrame> Outgoing { get; } = new();

    public FrameHeader* HeaderOut { get; }

    public FrameHeader* HeaderIn { get; }

    public byte* TrailerOut { get; }

    public byte* TrailerIn { get; }

    public byte* ScratchOut { get; }

    public byte* ScratchIn { get; }

    /// <value>A frame is partly out.</value>
    public bool IsSending => sending > 0;

    /// <value>A whole header waits for a step that this silo has not opened; nothing is read until then.</value>
    public bool IsParked { get; set; }

    /// <summary>Puts a header before a payload (and the trailer already in <see cref="TrailerOut"/>) on its way.</summary>
    public void Start(FrameHeader header, byte* payload)
    {
        header.Magic = FrameHeader.Mark;
        header.Sequence = nextOut++;
        *HeaderOut = header;
        sealOut.Seal(HeaderOut);
        payloadOut = payload;
        sent = 0;
        sending = FrameHeader.Size + header.PayloadBytes + header.TrailerBytes;
    }

    /// <summary>Sends some of the frame on its way.</summary>
    /// <returns>Whether anything went out.</returns>
    /// <exception cref="IOException">The link is broken.</exception>
    public bool Send()
    {
        var pieces = stackalloc Piece[3];
        nuint count = 0;
        var at = sent;
        Add(pieces, ref count, ref at, (byte*)HeaderOut, FrameHeader.Size, int.MaxValue);
        Add(pieces, ref count, ref at, payloadOut, HeaderOut->PayloadBytes, SendBytes);
        if (sending - sent <= SendBytes) Add(pieces, ref count, ref at, TrailerOut, HeaderOut->TrailerBytes, int.MaxValue);
        MessageHeader message = new() { Pieces = pieces, PieceCount = count };
        var moved = SendMessage(fd, &message, DontWait | NoSignal);
        if (moved < 0) return Refused();
        sent += (int)moved;
        if (sent == sending) sending = 0;
        return moved > 0;
    }

    /// <summary>Reads what is there of the header.</summary>
    /// <returns>Whether anything came; <paramref name="whole"/>: the header is complete, though not checked.</returns>
    /// <exception cref="IOException">The link is broken.</exception>
    public bool ReceiveHeader(out bool whole)
    {
        if (headerGot < FrameHeader.Size)
        {
            Piece piece = new() { Start = (byte*)HeaderIn + headerGot, Length = (nuint)(FrameHeader.Size - headerGot) };
            MessageHeader message = new() { Pieces = &piece, PieceCount = 1 };
            var moved = ReceiveMessage(fd, &message, DontWait);
            if (moved <= 0)
            {
                whole = false;
                return moved == 0 ? throw new IOException("it closed the connection") : Refused();
            }
            headerGot += (int)moved;
        }
        whole = headerGot == FrameHeader.Size;
        return true;
    }

    /// <value>A checked header stands; its body is being read.</value>
    public bool InBody { get; private set; }

    /// <summary>Whether the whole header in <see cref="HeaderIn"/> was sealed by the other silo for this place in the order.</summary>
    public bool IsGenuine() => sealIn.Check(HeaderIn, nextIn);

    /// <value>Sequence that the next header must carry.</value>
    public ulong Expected => nextIn;

    /// <summary>The header is in order: the payload goes there, the trailer to <see cref="TrailerIn"/>.</summary>
    public void Accept(byte* payload)
    {
        nextIn++;
        IsParked = false;
        InBody = true;
        headerGot = 0;
        payloadIn = payload;
        payloadLeft = HeaderIn->PayloadBytes;
        trailerAt = TrailerIn;
        trailerLeft = HeaderIn->TrailerBytes;
    }

    /// <summary>Reads what is there of payload and trailer.</summary>
    /// <returns>Whether anything came; <paramref name="whole"/>: the frame is complete.</returns>
    /// <exception cref="IOException">The link is broken.</exception>
    public bool ReceiveBody(out bool whole)
    {
        whole = payloadLeft + trailerLeft == 0;
        if (!whole)
        {
            var pieces = stackalloc Piece[2];
            pieces[0] = new Piece { Start = payloadIn, Length = (nuint)payloadLeft };
            pieces[1] = new Piece { Start = trailerAt, Length = (nuint)trailerLeft };
            MessageHeader message = new() { Pieces = pieces, PieceCount = 2 };
            var moved = ReceiveMessage(fd, &message, DontWait);
            if (moved == 0) throw new IOException("it closed the connection");
            if (moved < 0) return Refused();
            var payload = (int)Math.Min(moved, payloadLeft);
            payloadIn += payload;
            payloadLeft -= payload;
            trailerAt += moved - payload;
            trailerLeft -= (int)(moved - payload);
            whole = payloadLeft + trailerLeft == 0;
        }
        if (whole) InBody = false;
        return true;
    }

    /// <summary>Says that nothing more will be sent; what was sent still arrives.</summary>
    public void EndSending()
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

    public void Dispose()
    {
        socket.Dispose();
        sealOut.Dispose();
        sealIn.Dispose();
        NativeMemory.AlignedFree(memory);
    }

    /// <summary>Adds what is left of one part of the frame.</summary>
    /// <param name="at">Bytes sent, counted from the part's start; negative behind the call: the part is not reached.</param>
    private static void Add(Piece* pieces, ref nuint count, ref int at, byte* part, int length, int most)
    {
        if (at < length)
        {
            pieces[count++] = new Piece { Start = part + Math.Max(at, 0), Length = (nuint)Math.Min(length - Math.Max(at, 0), most) };
            at = 0;
        }
        else
        {
            at -= length;
        }
    }

    private static bool Refused()
    {
        var error = Marshal.GetLastPInvokeError();
        return error is WouldBlock or Interrupted ? false : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
    }
}

/// <param name="Partial">Of an operand: which of the silo's partials.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OutgoingFrame(FrameKind Kind, int Slice, int Partial);
