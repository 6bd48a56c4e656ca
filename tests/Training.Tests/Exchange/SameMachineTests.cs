using System.Collections.Immutable;
using System.Net.Sockets;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

/// <summary>Which way silos take to each other, and who is let in at the Unix socket.</summary>
public sealed class SameMachineTests
{
    [Theory]
    [InlineData(true, true, "shared memory")]
    [InlineData(true, false, "TCP")]
    [InlineData(false, true, "TCP")]
    public void Open_SilosOfOneMachine_SayWhichWayTheyTook(bool first, bool second, string way)
    {
        Assert.Equal([$"exchanges gradients with silo-1 by {way}", $"exchanges gradients with silo-0 by {way}"],
            Ways([new DirectWire(first), new DirectWire(second)], place => place));
    }

    /// <summary>Another machine or network namespace: nobody listens at the name.</summary>
    [Fact]
    public void Open_NameIsNotOfThisMachine_TakesTheWire() =>
        Assert.All(
            Ways([new DirectWire(), new DirectWire()], place => new Elsewhere(place)),
            way => Assert.EndsWith("by TCP", way, StringComparison.Ordinal));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(1, 2, 1)]
    [InlineData(1, 1, 1, 1)]
    public void Train_EitherWay_GivesTheBitsOfOneRank(params int[] shares)
    {
        var job = TrainingHarness.Shapes(Core.Spec.Precision.MixedBFloat16) with { GlobalBatch = 24, MicroBatch = 2, ClipNorm = 0.5 };
        var expected = TrainingHarness.Run(job, 1).Hash;
        foreach (var inMemory in (bool[])[true, false])
        {
            DirectWire wire = new(inMemory);
            var outcome = SiloHarness.Run(
                job, shares, factory: (_, place) => new PeerExchangeFactory(place, wire, job.Workers.Overlap, _ => { }));
            Assert.Null(outcome.Error);
            Assert.Equal(expected, outcome.Hash);
        }
    }

    [Fact]
    public void Listener_AnotherSecretAtTheUnixSocket_IsRefused()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        using var listener = new PeerListener(new DirectWire(), _ => { });
        listener.Open(rig.Jobs[0].Silos, new byte[32]);
        using var socket = Dial(listener);
        byte[] wrong = [.. Enumerable.Repeat((byte)1, 32)];
        Assert.Throws<JobException>(() => PeerHandshake.Call(socket, rig.Jobs[1].Silos, 0, wrong));
    }

    [Fact]
    public void Listener_OldGenerationAtTheUnixSocket_IsRefusedWithBothValues()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        using var listener = new PeerListener(new DirectWire(), _ => { });
        var secret = new byte[32];
        listener.Open(rig.Jobs[0].Silos, secret);
        using var socket = Dial(listener);
        var old = rig.Jobs[1].Silos with { Generation = new(2) };
        var refused = Assert.Throws<JobException>(() => PeerHandshake.Call(socket, old, 0, secret));
        Assert.Contains("found generation 2, expected 3", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listener_StrangersAtTheUnixSocket_AreRefusedInWords()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        TaskCompletionSource<string> warned = new();
        using var listener = new PeerListener(new DirectWire(), warned.SetResult);
        listener.Open(rig.Jobs[0].Silos, new byte[32]);
        using var socket = Dial(listener);
        socket.Send("GET / HTTP/1.1\r\nHost: silo\r\nAccept: everything\r\n\r\n"u8);
        Assert.Contains(
            "a connection from a process of this machine: found the first bytes", await warned.Task.WaitAsync(TimeSpan.FromMinutes(5)),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Listener_HasEnded_ItsNameIsGone()
    {
        PeerListener listener = new(new DirectWire(), _ => { });
        var name = PeerAddress.Parse(listener.Endpoint).Local!;
        Assert.Contains(name, File.ReadAllText("/proc/net/unix"), StringComparison.Ordinal);
        listener.Dispose();
        Assert.DoesNotContain(name, File.ReadAllText("/proc/net/unix"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:43211@dtrain-00ff", "127.0.0.1:43211", "dtrain-00ff")]
    [InlineData("127.0.0.1:43211", "127.0.0.1:43211", null)]
    [InlineData("10.0.0.1:7100/00000000000000ff", "10.0.0.1:7100/00000000000000ff", null)]
    public void Address_AnyText_ReadsWhatItWrites(string text, string wire, string? local)
    {
        Assert.Equal(new PeerAddress(wire, local), PeerAddress.Parse(text));
        Assert.Equal(text, PeerAddress.Parse(text).ToString());
    }

    private static Socket Dial(PeerListener listener)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(PeerAddress.LocalEndpoint(PeerAddress.Parse(listener.Endpoint).Local!));
        return socket;
    }

    /// <summary>What two silos say about their way to each other, when each has done a step.</summary>
    private static string[] Ways(DirectWire[] wires, Func<IExchangeRendezvous, IExchangeRendezvous> at)
    {
        using var rig = new ExchangeRig([70_000, 13], [1, 1], 2);
        using var meeting = new LocalRendezvous(2);
        var ways = new string[2];
        var exchanges = new IGradientExchange[2];
        ExchangeConformance.Everywhere(2, silo => exchanges[silo] = new PeerExchangeFactory(
            at(meeting.Place(silo)), wires[silo], overlap: true, _ => { }, log: way => ways[silo] = way).Open(rig.Jobs[silo]));
        ExchangeConformance.Holds(rig, exchanges);
        Array.ForEach(exchanges, e => e.Dispose());
        return ways;
    }

    /// <summary>Has every silo seem to be on another machine.</summary>
    private sealed class Elsewhere(IExchangeRendezvous meeting) : IExchangeRendezvous
    {
        public ExchangeMesh Meet(ExchangeOffer offer)
        {
            var mesh = meeting.Meet(offer);
            return mesh with { Endpoints = [.. mesh.Endpoints.Select(Moved)] };

            static string Moved(string endpoint) => (PeerAddress.Parse(endpoint) with { Local = PeerAddress.NewLocal() }).ToString();
        }
    }
}
