using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>
/// One connection to another silo: what waits to be sent, what is on its way out and the frame on its way in. No thread of its own.
/// </summary>
/// <remarks>
/// Small frames leave together in one call, and what comes in with a frame is kept for the next one: a call into the kernel costs as
/// much as a small frame.
/// </remarks>
internal sealed unsafe class PeerLink : IDisposable
{
    /// <summary>Bytes that are let come together before a sleeper is woken.</summary>
    private const int MostAwaited = 256 * 1024;

    /// <summary>Room for small frames on their way out.</summary>
    private const int BatchBytes = 32 * 1024;

    /// <summary>Room for bytes that came in beyond a frame: these are copied once more.</summary>
    private const int AheadBytes = 8 * 1024;

    private readonly Socket socket;
    private readonly int fd;
    private readonly FrameSeal sealOut;
    private readonly FrameSeal sealIn;
    private readonly byte* memory;
    private readonly byte* batch;
    private readonly byte* ahead;
    private readonly FrameHeader* largeHeader;
    private ulong nextOut;
    private ulong nextIn;
    private int sent;
    private int batchBytes;
    private bool hasLarge;
    private byte* largePayload;
    private int aheadStart;
    private int aheadEnd;
    private int headerGot;
    private byte* payloadIn;
    private int payloadLeft;
    private byte* trailerAt;
    private int trailerLeft;
    private int wakesAt = 1;

    /// <param name="socket">Connected and proven; taken over.</param>
    /// <param name="trailerBytes">Longest trailer.</param>
    /// <param name="scratchBytes">Longest payload that is made for the link, control frames included.</param>
    public PeerLink(int silo, Socket socket, FrameSeal sealOut, FrameSeal sealIn, int trailerBytes, int scratchBytes)
    {
        (Silo, this.socket, this.sealOut, this.sealIn) = (silo, socket, sealOut, sealIn);
        fd = (int)socket.SafeHandle.DangerousGetHandle();
        socket.NoDelay = true;
        var trailers = FrameHeader.WholeLines(trailerBytes) + FrameHeader.Size;
        var scratch = FrameHeader.WholeLines(scratchBytes);
        memory = (byte*)NativeMemory.AlignedAlloc(
            (nuint)((2 * FrameHeader.Size) + (2 * trailers) + (2 * scratch) + BatchBytes + AheadBytes), FrameHeader.Size);
        largeHeader = (FrameHeader*)memory;
        HeaderIn = largeHeader + 1;
        TrailerOut = (byte*)(largeHeader + 2);
        TrailerIn = TrailerOut + trailers;
        ScratchOut = TrailerIn + trailers;
        ScratchIn = ScratchOut + scratch;
        batch = ScratchIn + scratch;
        ahead = batch + BatchBytes;
    }

    /// <value>The other silo's place.</value>
    public int Silo { get; }

    public int Fd => fd;

    /// <value>Most bytes of payload that one call sends.</value>
    public int SendBytes { get; set; }

    public Queue<OutgoingFrame> Outgoing { get; } = new();

    /// <value>Room that holds the payload on its way out; 0: it is the link's own, or nobody else's.</value>
    public nint Room { get; set; }

    /// <summary>Gives up the room of a payload that is out.</summary>
    public nint TakeRoom()
    {
        var room = Room;
        Room = 0;
        return room;
    }

    public FrameHeader* HeaderIn { get; }

    public byte* TrailerOut { get; }

    public byte* TrailerIn { get; }

    public byte* ScratchOut { get; }

    public byte* ScratchIn { get; }

    /// <value>Something was started and is not wholly out.</value>
    public bool IsSending => batchBytes > 0 || hasLarge;

    /// <value>A whole header waits for a step that this silo has not opened; nothing is read until then.</value>
    public bool IsParked { get; set; }

    /// <value>A checked header stands; its body is being read.</value>
    public bool InBody { get; private set; }

    /// <value>Sequence that the next header must carry.</value>
    public ulong Expected => nextIn;

    /// <value>A frame may be put on its way: at most one large one is.</value>
    public bool CanStart => !hasLarge;

    /// <summary>
    /// Puts a header before a payload (and the trailer already in <see cref="TrailerOut"/>) on its way, filled up to whole lines.
    /// </summary>
    public void Start(FrameHeader header, byte* payload)
    {
        var body = FrameHeader.WholeLines(header.PayloadBytes + header.TrailerBytes);
        new Span<byte>(TrailerOut + header.TrailerBytes, body - header.PayloadBytes - header.TrailerBytes).Clear();
        header.TrailerBytes = body - header.PayloadBytes;
        header.Magic = FrameHeader.Mark;
        header.Sequence = nextOut++;
        sealOut.Seal(&header);
        if (batchBytes + FrameHeader.Size + body > BatchBytes)
        {
            *largeHeader = header;
            largePayload = payload;
            hasLarge = true;
            return;
        }
        var at = batch + batchBytes;
        *(FrameHeader*)at = header;
        Buffer.MemoryCopy(payload, at + FrameHeader.Size, header.PayloadBytes, header.PayloadBytes);
        Buffer.MemoryCopy(TrailerOut, at + FrameHeader.Size + header.PayloadBytes, header.TrailerBytes, header.TrailerBytes);
        batchBytes += FrameHeader.Size + body;
    }

    /// <summary>Sends some of what is on its way.</summary>
    /// <returns>Whether anything went out.</returns>
    /// <exception cref="IOException">The link is broken.</exception>
    public bool Send()
    {
        var pieces = stackalloc Piece[4];
        nuint count = 0;
        var at = sent;
        var total = batchBytes;
        if (batchBytes > 0) Add(pieces, ref count, ref at, batch, batchBytes, int.MaxValue);
        if (hasLarge)
        {
            total += FrameHeader.Size + largeHeader->PayloadBytes + largeHeader->TrailerBytes;
            Add(pieces, ref count, ref at, (byte*)largeHeader, FrameHeader.Size, int.MaxValue);
            Add(pieces, ref count, ref at, largePayload, largeHeader->PayloadBytes, SendBytes);
            if (total - sent <= SendBytes) Add(pieces, ref count, ref at, TrailerOut, largeHeader->TrailerBytes, int.MaxValue);
        }
        MessageHeader message = new() { Pieces = pieces, PieceCount = count };
        var moved = SendMessage(fd, &message, DontWait | NoSignal);
        if (moved < 0) return Refused();
        sent += (int)moved;
        if (sent == total) (sent, batchBytes, hasLarge) = (0, 0, false);
        return moved > 0;
    }

    /// <summary>Reads what is there of the header.</summary>
    /// <returns>Whether anything came; <paramref name="whole"/>: the header is complete, though not checked.</returns>
    /// <exception cref="IOException">The link is broken.</exception>
    public bool ReceiveHeader(out bool whole)
    {
        whole = headerGot == FrameHeader.Size;
        if (whole) return true;
        var room = FrameHeader.Size - headerGot;
        var target = (byte*)HeaderIn + headerGot;
        if (aheadEnd > aheadStart)
        {
            headerGot += FromAhead(target, room);
        }
        else
        {
            var pieces = stackalloc Piece[2];
            pieces[0] = new Piece { Start = target, Length = (nuint)room };
            var moved = Receive(pieces, 1);
            if (moved == 0) return false;
            headerGot += KeepAhead(moved, room);
        }
        whole = headerGot == FrameHeader.Size;
        return true;
    }

    /// <summary>Whether the whole header in <see cref="HeaderIn"/> was sealed by the other silo for this place in the order.</summary>
    public bool IsGenuine() => sealIn.Check(HeaderIn, nextIn);

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
        var moved = FromAhead(payloadIn, payloadLeft);
        Advance(moved, 0);
        if (payloadLeft == 0)
        {
            var trailer = FromAhead(trailerAt, trailerLeft);
            Advance(0, trailer);
            moved += trailer;
        }
        whole = payloadLeft + trailerLeft == 0;
        if (!whole)
        {
            var pieces = stackalloc Piece[3];
            pieces[0] = new Piece { Start = payloadIn, Length = (nuint)payloadLeft };
            pieces[1] = new Piece { Start = trailerAt, Length = (nuint)trailerLeft };
            var came = Receive(pieces, 2);
            if (came == 0) return moved > 0;
            var body = KeepAhead(came, payloadLeft + trailerLeft);
            var payload = Math.Min(body, payloadLeft);
            Advance(payload, body - payload);
            whole = payloadLeft + trailerLeft == 0;
        }
        if (whole) InBody = false;
        return true;
    }

    /// <summary>Lets a poll sleep until the frame that is being read is whole: what comes of it before is nothing to act on.</summary>
    public void SleepThroughBody()
    {
        var bytes = InBody ? Math.Clamp(payloadLeft + trailerLeft, 1, MostAwaited) : 1;
        if (bytes == wakesAt) return;
        WakeAt(fd, bytes);
        wakesAt = bytes;
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
        NativeMemory.AlignedFree(memory);
    }

    /// <summary>Adds what is left of one part of what is on its way.</summary>
    /// <param name="at">Bytes sent, counted from the part's start; behind the call from the next one's.</param>
    private static void Add(Piece* pieces, ref nuint count, ref int at, byte* part, int length, int most)
    {
        if (at < length)
        {
            pieces[count++] = new Piece { Start = part + at, Length = (nuint)Math.Min(length - at, most) };
            at = 0;
        }
        else
        {
            at -= length;
        }
    }

    /// <summary>Reads into the pieces, and what comes beyond them into the room for later.</summary>
    /// <returns>Bytes; 0 when nothing is there.</returns>
    private int Receive(Piece* pieces, nuint count)
    {
        (aheadStart, aheadEnd) = (0, 0);
        pieces[count++] = new Piece { Start = ahead, Length = AheadBytes };
        MessageHeader message = new() { Pieces = pieces, PieceCount = count };
        var moved = ReceiveMessage(fd, &message, DontWait);
        if (moved == 0) throw new IOException("it closed the connection");
        if (moved > 0) return (int)moved;
        Refused();
        return 0;
    }

    /// <returns>How many of the bytes went into the pieces.</returns>
    private int KeepAhead(int moved, int room)
    {
        aheadEnd = Math.Max(0, moved - room);
        return Math.Min(moved, room);
    }

    private int FromAhead(byte* target, int most)
    {
        var count = Math.Min(most, aheadEnd - aheadStart);
        if (count == 0) return 0;
        Buffer.MemoryCopy(ahead + aheadStart, target, count, count);
        aheadStart += count;
        return count;
    }

    private void Advance(int payload, int trailer)
    {
        payloadIn += payload;
        payloadLeft -= payload;
        trailerAt += trailer;
        trailerLeft -= trailer;
    }

    private static bool Refused()
    {
        var error = Marshal.GetLastPInvokeError();
        return error is WouldBlock or Interrupted ? false : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
    }
}

/// <param name="Partial">Of an operand: which of the silo's partials; of a sum: 1 when it is not finite.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OutgoingFrame(FrameKind Kind, int Slice, int Partial);
