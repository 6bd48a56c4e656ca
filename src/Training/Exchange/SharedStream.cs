using System.Net.Sockets;
using static Distributed.Training.Exchange.Posix;
using static Distributed.Training.Exchange.SharedRings;

namespace Distributed.Training.Exchange;

/// <summary>
/// A stream through memory that both silos have: no byte crosses the kernel. The socket beside it wakes a sleeper and tells the end.
/// </summary>
/// <remarks>
/// What the other side writes to the memory is used with care: a position is checked before it is used, and a header is copied before it
/// is checked.
/// </remarks>
internal sealed unsafe class SharedStream : IPeerStream
{
    private readonly Socket socket;
    private readonly SharedRings rings;
    private readonly RingMark* sending;
    private readonly RingMark* readByOther;
    private readonly RingMark* receiving;
    private readonly RingMark* writtenByOther;
    private readonly byte* outgoingBytes;
    private readonly byte* incomingBytes;
    private long written;
    private long readSeen;
    private long read;
    private long writtenSeen;
    private long wokenSender;
    private long wokenReader;
    private bool ended;

    /// <param name="socket">Of this machine; taken over.</param>
    /// <param name="rings">Taken over.</param>
    /// <param name="isMaker">This side made the rings.</param>
    public SharedStream(Socket socket, SharedRings rings, bool isMaker)
    {
        (this.socket, this.rings) = (socket, rings);
        Fd = (int)socket.SafeHandle.DangerousGetHandle();
        var (from, to) = isMaker ? (1, 0) : (0, 1);
        sending = rings.Writer(from);
        readByOther = rings.Reader(from);
        outgoingBytes = rings.Bytes(from);
        receiving = rings.Reader(to);
        writtenByOther = rings.Writer(to);
        incomingBytes = rings.Bytes(to);
    }

    public int MostSeen => RingBytes / 2;

    public string Kind => "shared memory";

    public int Fd { get; }

    public int Send(Piece* pieces, nuint count)
    {
        long moved = 0;
        for (nuint i = 0; i < count; i++)
        {
            var wanted = (long)pieces[i].Length;
            var part = Math.Min(wanted, Room(wanted));
            Buffer.MemoryCopy(pieces[i].Start, outgoingBytes + At(written), part, part);
            written += part;
            moved += part;
            if (part < wanted) break;
        }
        if (moved > 0) Publish();
        return (int)moved;
    }

    public byte* Reserve(int bytes) => Room(bytes) < bytes ? null : outgoingBytes + At(written);

    public void Commit(int bytes)
    {
        written += bytes;
        Publish();
    }

    public byte* View(int bytes)
    {
        if (There(bytes) >= bytes) return incomingBytes + At(read);
        return !ended ? null : throw new IOException("it closed the connection");
    }

    public void Skip(int bytes)
    {
        read += bytes;
        Volatile.Write(ref receiving->Position, read);
        Wake(writtenByOther, read, ref wokenSender);
    }

    public int Receive(Piece* pieces, nuint count)
    {
        var there = There(1);
        if (there == 0)
        {
            if (!ended) return 0;
            throw new IOException("it closed the connection");
        }
        long moved = 0;
        for (nuint i = 0; i < count && there > moved; i++)
        {
            var part = Math.Min((long)pieces[i].Length, there - moved);
            Buffer.MemoryCopy(incomingBytes + At(read + moved), pieces[i].Start, part, part);
            moved += part;
        }
        Skip((int)moved);
        return (int)moved;
    }

    public bool Await(int incoming, int outgoing, out short events)
    {
        events = ended ? (short)0 : PollIn;
        if (ended) return incoming == 0;
        // Room for all that is left, or for half a ring: few changes of threads are to move much.
        var until = written - RingBytes + Math.Min(outgoing, RingBytes / 2);
        if (incoming > 0) Volatile.Write(ref receiving->SleepsUntil, read + Math.Min(incoming, RingBytes));
        if (outgoing > 0) Volatile.Write(ref sending->SleepsUntil, until);
        Interlocked.MemoryBarrier();
        // A position that cannot be is refused when it is used.
        return !(incoming > 0 && Volatile.Read(ref writtenByOther->Position) - read >= Math.Min(incoming, RingBytes))
            && !(outgoing > 0 && Volatile.Read(ref readByOther->Position) >= until);
    }

    public void Awoke(short happened)
    {
        Volatile.Write(ref receiving->SleepsUntil, 0);
        Volatile.Write(ref sending->SleepsUntil, 0);
        if (happened == 0) return;
        var bytes = stackalloc byte[64];
        Piece piece = new() { Start = bytes, Length = 64 };
        MessageHeader message = new() { Pieces = &piece, PieceCount = 1 };
        var came = ReceiveMessage(Fd, &message, DontWait);
        ended |= came == 0 || (came < 0 && (happened & ~PollIn) != 0);
    }

    public void EndSending() => SocketStream.EndSending(socket);

    public void Dispose()
    {
        socket.Dispose();
        rings.Dispose();
    }

    private static long At(long position) => position & (RingBytes - 1);

    private void Publish()
    {
        Volatile.Write(ref sending->Position, written);
        Wake(readByOther, written, ref wokenReader);
    }

    /// <returns>Bytes that can be read.</returns>
    private long There(long wanted) => (writtenSeen - read >= wanted ? writtenSeen : Written()) - read;

    private long Room(long wanted)
    {
        var room = RingBytes - (written - readSeen);
        return room >= wanted ? room : RingBytes - (written - Read());
    }

    private long Written()
    {
        var position = Volatile.Read(ref writtenByOther->Position);
        if (position < writtenSeen || position - read > RingBytes) throw Nonsense(position);
        return writtenSeen = position;
    }

    private long Read()
    {
        var position = Volatile.Read(ref readByOther->Position);
        if (position < readSeen || position > written) throw Nonsense(position);
        return readSeen = position;
    }

    private static IOException Nonsense(long position) =>
        new(FormattableString.Invariant($"found the position {position} in shared memory, where it cannot be"));

    /// <summary>Wakes the other side if it sleeps until a position that has been reached.</summary>
    /// <param name="woken">What it was last woken for.</param>
    private void Wake(RingMark* other, long position, ref long woken)
    {
        // What was just written has to be seen before the other side's sleep is looked at; it does the same the other way round.
        Interlocked.MemoryBarrier();
        var until = Volatile.Read(ref other->SleepsUntil);
        if (until == 0 || until == woken || position < until) return;
        woken = until;
        byte one = 1;
        Piece piece = new() { Start = &one, Length = 1 };
        MessageHeader message = new() { Pieces = &piece, PieceCount = 1 };
        // Where there is no room, what fills it wakes as well; where nobody is left, its end is seen when all is read.
        _ = SendMessage(Fd, &message, DontWait | NoSignal);
    }
}
