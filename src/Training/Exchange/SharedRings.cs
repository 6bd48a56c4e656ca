using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Exchange;

/// <summary>Memory that two silos of one machine share: a ring of bytes for each direction.</summary>
/// <remarks>
/// It has no name and no file: one silo makes it and hands its descriptor to the other, and the system frees it when neither has it any
/// more, however they end. Each ring's addresses follow each other twice, so that what wraps around lies in one piece all the same.
/// </remarks>
internal sealed unsafe class SharedRings : IDisposable
{
    /// <summary>Of one ring: four of the longest frames.</summary>
    public const int RingBytes = 1 << 20;

    private const int PageBytes = 4096;
    private const int MemoryBytes = PageBytes + (2 * RingBytes);
    private const int AddressBytes = PageBytes + (4 * RingBytes);

    /// <summary>Two cache lines, as the processor fetches them.</summary>
    private const int WriterAt = 0, ReaderAt = 128, Apart = 256;

    private nint start;

    private SharedRings(nint start) => this.start = start;

    /// <summary>Makes the memory.</summary>
    /// <param name="fd">To be passed on and closed.</param>
    /// <returns>Null: the system gives none.</returns>
    public static SharedRings? Create(out int fd)
    {
        fd = CreateMemory("dtrain-exchange", MemoryBytes);
        if (fd < 0) return null;
        if (Map(fd) is { } rings) return rings;
        _ = Close(fd);
        fd = -1;
        return null;
    }

    /// <summary>Maps what another silo has made.</summary>
    /// <returns>Null: it is not what it should be, or there are no addresses for it.</returns>
    public static SharedRings? Map(int fd)
    {
        if (!IsFixedMemory(fd, MemoryBytes)) return null;
        var start = ReserveAddresses(AddressBytes);
        if (start == 0) return null;
        var rings = new SharedRings(start);
        var whole = MapAt(start, PageBytes, fd, 0);
        for (var i = 0; i < 4; i++) whole &= MapAt(start + PageBytes + (i * RingBytes), RingBytes, fd, PageBytes + (i / 2 * RingBytes));
        if (whole) return rings;
        rings.Dispose();
        return null;
    }

    /// <param name="direction">0: to the silo that made the memory; 1: from it.</param>
    public byte* Bytes(int direction) => (byte*)start + PageBytes + (direction * 2 * RingBytes);

    /// <summary>What the writing side of a ring says.</summary>
    public RingMark* Writer(int direction) => (RingMark*)(start + (direction * Apart) + WriterAt);

    /// <summary>What the reading side of a ring says.</summary>
    public RingMark* Reader(int direction) => (RingMark*)(start + (direction * Apart) + ReaderAt);

    public void Dispose()
    {
        if (start != 0) Unmap(start, AddressBytes);
        start = 0;
    }
}

/// <summary>How far one side of a ring is.</summary>
internal struct RingMark
{
    /// <summary>Bytes written or read so far.</summary>
    public long Position;

    /// <summary>The side sleeps until the other one is so far; 0: it is awake.</summary>
    public long SleepsUntil;
}
