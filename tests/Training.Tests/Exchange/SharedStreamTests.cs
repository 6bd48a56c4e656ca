using System.Runtime.InteropServices;
using Distributed.Training.Exchange;
using static Distributed.Training.Exchange.Posix;

namespace Distributed.Training.Tests.Exchange;

/// <summary>Streams between silos of one machine: every byte comes, in order, and a sleeper is woken for what it waits for.</summary>
public sealed unsafe class SharedStreamTests
{
    private const int Long = 60_000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void SendReceive_BothWaysAtOnce_EveryByteComesInOrder(bool inMemory)
    {
        using StreamPair pair = new(inMemory);
        var (up, down) = (Bytes(1, 5_000_003), Bytes(2, 3_000_017));
        var (gotUp, gotDown) = (new byte[up.Length], new byte[down.Length]);
        var far = new Thread(() => Pump(pair.Far, down, gotUp, 77));
        far.Start();
        Pump(pair.Near, up, gotDown, 99_991);
        far.Join();
        Assert.True(up.AsSpan().SequenceEqual(gotUp));
        Assert.True(down.AsSpan().SequenceEqual(gotDown));
    }

    [Fact]
    public void ReserveAndView_FarBeyondTheRing_LieInOnePiece()
    {
        using StreamPair pair = new();
        const int size = 300_032;
        for (var i = 0; i < 25; i++)
        {
            var room = pair.Near.Reserve(size);
            Assert.False(room is null);
            var bytes = Bytes(i, size);
            bytes.CopyTo(new Span<byte>(room, size));
            Assert.True(pair.Far.View(1) is null);
            pair.Near.Commit(size);
            var view = pair.Far.View(size);
            Assert.True(bytes.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(view, size)));
            Assert.True(pair.Far.View(size + 1) is null);
            pair.Far.Skip(size);
        }
    }

    [Fact]
    public void Reserve_RingIsFull_SaysSoUntilItIsRead()
    {
        using StreamPair pair = new();
        var part = pair.Near.MostSeen;
        for (var i = 0; i < 2; i++)
        {
            Assert.False(pair.Near.Reserve(part) is null);
            pair.Near.Commit(part);
        }
        Assert.True(pair.Near.Reserve(64) is null);
        Assert.Equal(0, Send(pair.Near, new byte[64]));
        Assert.False(pair.Far.View(part) is null);
        pair.Far.Skip(part);
        Assert.False(pair.Near.Reserve(part) is null);
    }

    /// <summary>What was sent outlives its sender, however that ends.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Receive_OtherSideHasEnded_ReadsAllThatWasSentThenSaysSo(bool saysSo)
    {
        using StreamPair pair = new();
        var sent = Bytes(3, 500_000);
        Assert.Equal(sent.Length, Send(pair.Near, sent));
        if (saysSo) pair.Near.EndSending();
        else pair.Near.Dispose();
        Sleep(pair.Far, sent.Length + 1);
        var got = new byte[sent.Length + 1];
        Assert.Equal(sent.Length, Receive(pair.Far, got));
        Assert.True(sent.AsSpan().SequenceEqual(got.AsSpan(..sent.Length)));
        Assert.Throws<IOException>(() => Receive(pair.Far, got));
        Assert.Throws<IOException>(() => IsThere(pair.Far, 1));
        // Who has ended wakes nobody any more: a sleeper would be woken by its end again and again.
        Assert.True(pair.Far.Await(0, 0, out var events));
        Assert.Equal(0, events);
    }

    [Fact]
    public void Await_WhatIsThereAlready_LetsNobodySleep()
    {
        using StreamPair pair = new();
        Assert.Equal(100, Send(pair.Near, new byte[100]));
        Assert.False(pair.Far.Await(100, 0, out _));
        pair.Far.Awoke(0);
        Assert.True(pair.Far.Await(101, 0, out _));
        pair.Far.Awoke(0);
        Assert.False(pair.Near.Await(0, 1000, out _));
        pair.Near.Awoke(0);
    }

    [Fact]
    public void Await_FewerBytesThanAskedFor_DoNotWake()
    {
        using StreamPair pair = new();
        Assert.True(pair.Far.Await(1000, 0, out var events));
        Send(pair.Near, new byte[999]);
        Assert.Equal(0, PollOnce(pair.Far, events, 0));
        Send(pair.Near, new byte[1]);
        Assert.Equal(1, PollOnce(pair.Far, events, Long));
        pair.Far.Awoke(PollIn);
        Assert.Equal(1000, Receive(pair.Far, new byte[2000]));
        // The one byte that woke it is not there any more.
        Assert.True(pair.Far.Await(1, 0, out events));
        Assert.Equal(0, PollOnce(pair.Far, events, 0));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(SharedRings.RingBytes + 1)]
    [InlineData(long.MaxValue)]
    public void Receive_PositionThatCannotBe_IsRefused(long position)
    {
        var (near, far) = StreamPair.Sockets();
        using var rings = SharedRings.Create(out var memory)!;
        using SharedStream stream = new(near, SharedRings.Map(memory)!, isMaker: true);
        rings.Writer(0)->Position = position;
        Assert.Throws<IOException>(() => Receive(stream, new byte[10]));
        rings.Writer(0)->Position = 0;
        rings.Reader(1)->Position = position;
        Assert.Throws<IOException>(() => Send(stream, new byte[SharedRings.RingBytes + 1]));
        _ = Close(memory);
        far.Dispose();
    }

    /// <summary>Sends and receives by turns, asleep where neither is possible.</summary>
    private static void Pump(IPeerStream stream, byte[] outgoing, byte[] incoming, int most)
    {
        int sent = 0, got = 0;
        while (sent < outgoing.Length || got < incoming.Length)
        {
            var out1 = sent < outgoing.Length ? Send(stream, outgoing.AsSpan(sent, Math.Min(most, outgoing.Length - sent))) : 0;
            var in1 = got < incoming.Length ? Receive(stream, incoming.AsSpan(got, Math.Min(most, incoming.Length - got))) : 0;
            (sent, got) = (sent + out1, got + in1);
            if (out1 + in1 == 0) Sleep(stream, Math.Min(most, incoming.Length - got), Math.Min(most, outgoing.Length - sent));
        }
    }

    private static void Sleep(IPeerStream stream, int incoming, int outgoing = 0)
    {
        short happened = 0;
        if (stream.Await(incoming, outgoing, out var events))
        {
            PollEntry entry = new() { Fd = stream.Fd, Wanted = events };
            Assert.Equal(1, Poll(&entry, 1, Long));
            happened = entry.Happened;
        }
        stream.Awoke(happened);
    }

    private static int PollOnce(IPeerStream stream, short events, int milliseconds)
    {
        PollEntry entry = new() { Fd = stream.Fd, Wanted = events };
        return Poll(&entry, 1, milliseconds);
    }

    private static bool IsThere(IPeerStream stream, int bytes) => stream.View(bytes) is not null;

    private static int Send(IPeerStream stream, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            // In two pieces, as frames are.
            var pieces = stackalloc Piece[2];
            var half = bytes.Length / 2;
            pieces[0] = new Piece { Start = start, Length = (nuint)half };
            pieces[1] = new Piece { Start = start + half, Length = (nuint)(bytes.Length - half) };
            return stream.Send(pieces, 2);
        }
    }

    private static int Receive(IPeerStream stream, Span<byte> bytes)
    {
        fixed (byte* start = bytes)
        {
            Piece piece = new() { Start = start, Length = (nuint)bytes.Length };
            return stream.Receive(&piece, 1);
        }
    }

    private static byte[] Bytes(int seed, int count)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
