using System.Runtime.InteropServices;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>
/// One connection to another silo: what waits to be sent, what is on its way out and the frame on its way in. No thread of its own.
/// </summary>
/// <remarks>
/// Small frames leave together in one call, and what comes in with a frame is kept for the next one: a call into the kernel costs as
/// much as a small frame. Through memory, a frame is written where the other silo reads it.
/// </remarks>
internal sealed unsafe class PeerLink : IDisposable
{
    /// <summary>Bytes that are let come together before a sleeper is woken.</summary>
    private const int MostAwaited = 256 * 1024;

    /// <summary>Room for small frames on their way out.</summary>
    private const int BatchBytes = 32 * 1024;

    /// <summary>Room for bytes that came in beyond a frame: these are copied once more.</summary>
    private const int AheadBytes = 8 * 1024;

    private readonly IPeerStream stream;
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

    /// <param name="stream">Connected and proven; taken over.</param>
    /// <param name="trailerBytes">Longest trailer.</param>
    /// <param name="scratchBytes">Longest payload that is made for the link, control frames included.</param>
    public PeerLink(int silo, IPeerStream stream, FrameSeal sealOut, FrameSeal sealIn, int trailerBytes, int scratchBytes)
    {
        (Silo, this.stream, this.sealOut, this.sealIn) = (silo, stream, sealOut, sealIn);
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

    /// <inheritdoc cref="IPeerStream.Kind"/>
    public string Kind => stream.Kind;

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
        var room = Reserve(body);
        if (room is not null)
        {
            Write(room - FrameHeader.Size, in header, payload);
            stream.Commit(FrameHeader.Size + body);
            return;
        }
        if (batchBytes + FrameHeader.Size + body > BatchBytes)
        {
            *largeHeader = header;
            largePayload = payload;
            hasLarge = true;
            return;
        }
        Write(batch + batchBytes, in header, payload);
        batchBytes += FrameHeader.Size + body;
    }

    /// <summary>Room in the stream itself for the body of the next frame.</summary>
    /// <returns>Null: there is none at present; the frame can be put on its way all the same.</returns>
    public byte* Reserve(int body)
    {
        var frame = FrameHeader.Size + FrameHeader.WholeLines(body);
        if (IsSending || frame > stream.MostSeen) return null;
        var room = stream.Reserve(frame);
        return room is null ? null : room + FrameHeader.Size;
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
        if (batchBytes > 0) Add(pieces, ref count, ref at, batch, batchBytes);
        if (hasLarge)
        {
            total += FrameHeader.Size + largeHeader->PayloadBytes + largeHeader->TrailerBytes;
            Add(pieces, ref count, ref at, (byte*)largeHeader, FrameHeader.Size);
            Add(pieces, ref count, ref at, largePayload, largeHeader->PayloadBytes);
            Add(pieces, ref count, ref at, TrailerOut, largeHeader->TrailerBytes);
        }
        var moved = stream.Send(pieces, count);
        sent += moved;
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

    /// <summary>The header is in order: its body is next.</summary>
    public void Accept()
    {
        nextIn++;
        IsParked = false;
        InBody = true;
        headerGot = 0;
        payloadIn = null;
        payloadLeft = HeaderIn->PayloadBytes;
        trailerAt = TrailerIn;
        trailerLeft = HeaderIn->TrailerBytes;
    }

    /// <value>Nothing of the body has been read.</value>
    public bool IsUntouched => payloadIn is null;

    /// <value>The body can be seen where it lies, once it is whole: nothing of it is read before.</value>
    public bool IsSeenWhole => payloadIn is null && payloadLeft + trailerLeft <= stream.MostSeen;

    /// <summary>The whole body where it lies; the trailer is copied to <see cref="TrailerIn"/>.</summary>
    /// <returns>Null: it is not whole yet.</returns>
    public byte* View()
    {
        var body = stream.View(payloadLeft + trailerLeft);
        if (body is not null) Buffer.MemoryCopy(body + payloadLeft, TrailerIn, trailerLeft, trailerLeft);
        return body;
    }

    /// <summary>What was seen of the body is all that is needed.</summary>
    public void Skip()
    {
        stream.Skip(payloadLeft + trailerLeft);
        InBody = false;
    }

    /// <summary>The payload goes there, the trailer to <see cref="TrailerIn"/>.</summary>
    public void ReceiveTo(byte* payload) => payloadIn = payload;

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

    /// <summary>Arranges what a poll is to wake for: room for what is on its way, and what can be acted on.</summary>
    /// <remarks>What comes of a frame before it is whole is nothing to act on.</remarks>
    /// <returns>False: there is something to do already.</returns>
    public bool Await(out PollEntry entry)
    {
        var body = payloadLeft + trailerLeft;
        var incoming = IsParked ? 0 : !InBody ? 1 : IsSeenWhole ? body : Math.Clamp(body, 1, MostAwaited);
        var nothing = stream.Await(incoming, IsSending ? Unsent() : 0, out var events);
        entry = new PollEntry { Fd = events == 0 ? -1 : stream.Fd, Wanted = events };
        return nothing;
    }

    /// <summary>The poll is over.</summary>
    public void Awoke(in PollEntry entry) => stream.Awoke(entry.Happened);

    /// <summary>Waits until some of what is on its way can go out.</summary>
    public void WaitToSend(int milliseconds)
    {
        PollEntry entry;
        if (stream.Await(0, Unsent(), out var events))
        {
            entry = new PollEntry { Fd = stream.Fd, Wanted = events };
            _ = Poll(&entry, 1, milliseconds);
        }
        else
        {
            entry = default;
        }
        stream.Awoke(entry.Happened);
    }

    /// <inheritdoc cref="IPeerStream.EndSending"/>
    public void EndSending() => stream.EndSending();

    public void Dispose()
    {
        stream.Dispose();
        NativeMemory.AlignedFree(memory);
    }

    /// <summary>Writes a whole frame; the payload unless it is in its place already.</summary>
    private void Write(byte* at, in FrameHeader header, byte* payload)
    {
        *(FrameHeader*)at = header;
        at += FrameHeader.Size;
        if (payload != at) Buffer.MemoryCopy(payload, at, header.PayloadBytes, header.PayloadBytes);
        Buffer.MemoryCopy(TrailerOut, at + header.PayloadBytes, header.TrailerBytes, header.TrailerBytes);
    }

    /// <summary>Adds what is left of one part of what is on its way.</summary>
    /// <param name="at">Bytes sent, counted from the part's start; behind the call from the next one's.</param>
    private static void Add(Piece* pieces, ref nuint count, ref int at, byte* part, int length)
    {
        if (at < length)
        {
            pieces[count++] = new Piece { Start = part + at, Length = (nuint)(length - at) };
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
        if (stream.MostSeen == 0) pieces[count++] = new Piece { Start = ahead, Length = AheadBytes };
        return stream.Receive(pieces, count);
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

    /// <summary>Bytes on their way that are not out.</summary>
    private int Unsent() =>
        batchBytes + (hasLarge ? FrameHeader.Size + largeHeader->PayloadBytes + largeHeader->TrailerBytes : 0) - sent;
}

/// <param name="Partial">Of an operand: which of the silo's partials; of a sum: 1 when it is not finite.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct OutgoingFrame(FrameKind Kind, int Slice, int Partial);
