using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>Bytes to and from one other silo, in order; no call waits. Used by one thread at a time.</summary>
internal unsafe interface IPeerStream : IDisposable
{
    /// <value>
    /// Most bytes that <see cref="Reserve"/> and <see cref="View"/> are asked for; 0: the bytes lie in the kernel, where each call costs as
    /// much as a small frame, so that frames are gathered and read ahead.
    /// </value>
    int MostSeen { get; }

    /// <value>What it goes through, in words.</value>
    string Kind { get; }

    /// <value>What a poll waits at.</value>
    int Fd { get; }

    /// <summary>Sends of the pieces, in order, what there is room for.</summary>
    /// <returns>Bytes; 0: no room.</returns>
    /// <exception cref="IOException">The stream is broken.</exception>
    int Send(Piece* pieces, nuint count);

    /// <summary>Room in the stream itself, where what is to be sent can be written.</summary>
    /// <returns>Null: there is not so much, or the stream has no such room.</returns>
    byte* Reserve(int bytes);

    /// <summary>Sends what has been written to the room.</summary>
    /// <param name="bytes">From the start of the room.</param>
    void Commit(int bytes);

    /// <summary>The next bytes where they lie in the stream, until they are skipped or read.</summary>
    /// <returns>Null: they are not all there, or cannot be seen.</returns>
    byte* View(int bytes);

    /// <summary>What has been seen is read: its place may be used again.</summary>
    void Skip(int bytes);

    /// <summary>Reads into the pieces, in order, what is there.</summary>
    /// <returns>Bytes; 0: nothing is there.</returns>
    /// <exception cref="IOException">The stream is broken, or has ended.</exception>
    int Receive(Piece* pieces, nuint count);

    /// <summary>Arranges what a poll at <see cref="Fd"/> is to wake for.</summary>
    /// <param name="incoming">Bytes that are to have come; 0: none.</param>
    /// <param name="outgoing">Bytes there is to be room for; 0: none.</param>
    /// <param name="events">What to poll for.</param>
    /// <returns>False: it is there already, and nothing would wake a sleeper.</returns>
    bool Await(int incoming, int outgoing, out short events);

    /// <summary>The poll is over.</summary>
    /// <param name="happened">What it found at <see cref="Fd"/>.</param>
    void Awoke(short happened);

    /// <summary>Says that nothing more will be sent; what was sent still arrives.</summary>
    void EndSending();
}
