using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Testing.Fuzz;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;
using Distributed.Training.Tests.Exchange;

namespace Distributed.Training.Tests.Fuzz;

/// <summary>
/// What comes through the sockets of an exchange: greetings of strangers, and frames of a silo that has the secret and sends anything.
/// </summary>
public sealed class ExchangeFuzzTests
{
    private const int HeaderBytes = FrameHeader.Size;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    // What is damaged may leave a silo waiting for the rest, as a slow network does.
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void Greeting_Damaged_IsRefusedInWords()
    {
        using ExchangeRig rig = new([64], [1, 1], 2);
        var secret = new byte[32];
        byte[] hello;
        using (Pair pair = new())
        {
            pair.Near.Shutdown(SocketShutdown.Send);
            Assert.ThrowsAny<IOException>(() => PeerHandshake.Call(pair.Far, rig.Jobs[1].Silos, 0, secret));
            hello = pair.ReadNear();
        }

        FuzzRun.Hold(
            [[.. hello, .. new byte[32]], [.. BitConverter.GetBytes(FrameHeader.Mark), .. new byte[60]]],
            input =>
            {
                using Pair pair = new();
                pair.Far.Send(input);
                pair.Far.Shutdown(SocketShutdown.Send);
                InWords(() => PeerHandshake.Answer(pair.Near, rig.Jobs[0].Silos, secret));
            });
    }

    [Fact]
    public void Reason_Damaged_IsReadOrReplaced() => FuzzRun.Hold(
        [PeerHandshake.WriteReason(new JobError(ErrorCodes.DataInvalid, "Sample 7 is broken.", new(2), "silo-2", "data", 1)),
            "{}"u8.ToArray()],
        input =>
        {
            var reason = PeerHandshake.ReadReason(input, "silo-1");
            Assert.False(string.IsNullOrEmpty(reason.Code + reason.Message));
        });

    [Theory]
    [InlineData(new long[] { 700, 13 }, 2, false)]
    [InlineData(new long[] { 40_000, 64, 30_001 }, 8, false)]
    [InlineData(new long[] { 700, 13 }, 2, true)]
    [InlineData(new long[] { 40_000, 64, 30_001 }, 8, true)]
    public void Frames_Damaged_EndTheExchangeInWords(long[] sizes, int microBatches, bool inMemory)
    {
        byte[] good;
        using (Receiver receiver = new(sizes, microBatches, inMemory))
        {
            // The frames are right before they are damaged: the step completes with them.
            good = receiver.Frames();
            receiver.Send(good);
            receiver.Step(Patience);
        }

        FuzzRun.Hold(
            [good],
            input =>
            {
                using Receiver receiver = new(sizes, microBatches, inMemory);
                receiver.Send(input);
                try
                {
                    receiver.Step(Short);
                }
                catch (JobErrorException e)
                {
                    // When all has come and this thread is late, it is itself who is missing.
                    Assert.True(e.Error.Silo == "silo-1" || e.Error.Code == ErrorCodes.Deadline, e.Error.ToString());
                    throw;
                }
            },
            cost: 10);
    }

    private static void InWords(Action answer)
    {
        try
        {
            answer();
        }
        catch (IOException e)
        {
            throw new JobException(ErrorCodes.Internal, e.Message);
        }
    }

    /// <summary>Two ends of a connection over loopback.</summary>
    private sealed class Pair : IDisposable
    {
        public Pair()
        {
            using var listener = NewSocket();
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(1);
            Far = NewSocket();
            Far.Connect(listener.LocalEndPoint!);
            Near = listener.Accept();
        }

        public Socket Near { get; }

        public Socket Far { get; }

        public byte[] ReadNear()
        {
            Far.Shutdown(SocketShutdown.Send);
            List<byte> all = [];
            var part = new byte[4096];
            while (Near.Receive(part) is > 0 and var count) all.AddRange(part.AsSpan(0, count));
            return [.. all];
        }

        public void Dispose()
        {
            Near.Dispose();
            Far.Dispose();
        }

        private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    }

    /// <summary>Silo 0 of two; the test sends what silo 1 says.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly ExchangeRig rig;
        private readonly StreamPair pair;
        private readonly ExchangeBuffers buffers;
        private readonly PeerExchange exchange;
        private readonly FrameSeal seal = new(new byte[16]);
        private Thread? sending;
        private volatile bool ended;

        public Receiver(long[] sizes, int microBatches, bool inMemory)
        {
            pair = new StreamPair(inMemory);
            rig = new ExchangeRig(sizes, [1, 1], microBatches);
            rig.Draw(1);
            buffers = new ExchangeBuffers(rig.Jobs[0]);
            exchange = new PeerExchange(
                rig.Jobs[0], buffers,
                [PeerExchangeFactory.Link(new ProvenPeer(1, pair.Near, new FrameSeal(new byte[16]), new FrameSeal(new byte[16])), buffers)],
                listener: null,
                overlap: false, spin: false);
        }

        public void Step(TimeSpan patience) => rig.Step(0, exchange, 1, patience);

        /// <summary>All that silo 1 sends in a step, as zeros; not sealed.</summary>
        public byte[] Frames()
        {
            var plan = rig.Plan;
            List<byte> all = [];
            for (var slice = 0; slice < plan.Slices.Count; slice++)
            {
                var payload = plan.Slices[slice].Length * sizeof(float);
                if (plan.Reduces(0, slice))
                    for (var partial = 0; partial < plan.Partials[1].Count; partial++)
                        Add(FrameKind.Operand, slice, partial, payload, buffers.PresenceBytes(slice));
                else
                    Add(FrameKind.Sum, slice, 0, payload, buffers.SumTrailerBytes(slice));
            }

            Add(FrameKind.Losses, 0, 0, plan.SiloRuns[1].Count * sizeof(double), 0);
            return [.. all];

            void Add(FrameKind kind, int slice, int partial, int payload, int trailer)
            {
                FrameHeader header = new()
                {
                    Magic = FrameHeader.Mark,
                    Kind = kind,
                    Partial = (ushort)partial,
                    Job = PeerHandshake.JobNumber(JobId.Parse("rig")),
                    Generation = 3,
                    Bucket = plan.Slices[slice].Bucket,
                    Step = 1,
                    Slice = slice,
                    PayloadBytes = payload,
                    TrailerBytes = FrameHeader.Trailer(payload, trailer),
                    Sender = 1,
                };
                all.AddRange(MemoryMarshal.AsBytes(new ReadOnlySpan<FrameHeader>(in header)));
                all.AddRange(new byte[header.PayloadBytes + header.TrailerBytes]);
            }
        }

        /// <summary>Sends frames under a seal that holds, whatever else is wrong with them; then nothing more.</summary>
        public unsafe void Send(byte[] frames)
        {
            ulong sequence = 0;
            for (var at = 0; at + HeaderBytes <= frames.Length;)
            {
                var header = MemoryMarshal.Read<FrameHeader>(frames.AsSpan(at));
                (header.Magic, header.Sequence) = (FrameHeader.Mark, sequence++);
                seal.Seal(&header);
                MemoryMarshal.Write(frames.AsSpan(at), in header);
                at += HeaderBytes + (int)Math.Clamp((long)header.PayloadBytes + header.TrailerBytes, 0, frames.Length - at - HeaderBytes);
            }

            // What silo 0 has refused already is not taken any more.
            sending = new Thread(() =>
            {
                try
                {
                    fixed (byte* start = frames)
                        for (var sent = 0; sent < frames.Length && !ended;)
                            sent += Send(start + sent, frames.Length - sent);
                    pair.Far.EndSending();
                }
                catch (IOException)
                {
                    // It has closed the connection.
                }
            })
            { IsBackground = true };
            sending.Start();
        }

        /// <summary>Some of the bytes; waits for room where there is none.</summary>
        private unsafe int Send(byte* bytes, int count)
        {
            Posix.Piece piece = new() { Start = bytes, Length = (nuint)count };
            var sent = pair.Far.Send(&piece, 1);
            if (sent == 0) Thread.Yield();
            return sent;
        }

        public void Dispose()
        {
            exchange.Dispose();
            ended = true;
            sending?.Join();
            pair.Dispose();
            rig.Dispose();
        }
    }
}
