using System.Net;
using System.Net.Sockets;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Training.Tests.Exchange;

public sealed class PeerExchangeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static TheoryData<string, long[], int[], int> Cases => ExchangeConformance.AcrossSilos;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Exchange_SeveralSteps_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches) =>
        Holds(name, sizes, shares, microBatches, [new DirectWire()]);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Exchange_OverTcp_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches) =>
        Holds(name, sizes, shares, microBatches, [new DirectWire(inMemory: false)]);

    /// <summary>Every second silo calls and is called over TCP, the others meet in memory where they can.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Exchange_BothWays_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches) =>
        Holds(name, sizes, shares, microBatches, [new DirectWire(), new DirectWire(inMemory: false)]);

    /// <summary>Ranks that wait make sums of their own, which they do by themselves only where each has a core.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void Exchange_RanksHelp_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches) =>
        Holds(name, sizes, shares, microBatches, [new DirectWire()], cores: 64);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Exchange_RanksHelpOverTcp_IsBitwiseTheReference(string name, long[] sizes, int[] shares, int microBatches) =>
        Holds(name, sizes, shares, microBatches, [new DirectWire(inMemory: false)], cores: 64);

    private static void Holds(
        string name, long[] sizes, int[] shares, int microBatches, DirectWire[] wires, int? cores = null)
    {
        Assert.NotEmpty(name);
        using var rig = new ExchangeRig(sizes, shares, microBatches);
        using var mesh = new Mesh(rig, silo => wires[silo % wires.Length], cores);
        ExchangeConformance.Holds(rig, mesh.Exchanges);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Complete_SiloIsSilent_NamesItAndWhoArrived(bool inMemory)
    {
        var errors = new JobError?[3];
        // On a busy machine one of the others may be late, too.
        for (var patience = TimeSpan.FromSeconds(1); errors[..2].Any(e => e?.Silo != "silo-2") && patience < Patience; patience *= 4)
        {
            using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
            using var mesh = new Mesh(rig, _ => new DirectWire(inMemory));
            rig.Draw(1);
            mesh.Everywhere(silo =>
            {
                if (silo == 2) return;
                errors[silo] = Record.Exception(() => rig.Step(silo, mesh.Exchanges[silo], 1, patience)) is JobErrorException e
                    ? e.Error
                    : null;
            });
        }

        foreach (var error in errors[..2])
        {
            Assert.Equal(
                (ErrorCodes.Deadline, "silo-2", 2, "exchange", 1L), (error!.Code, error.Silo, error.Rank?.Value, error.Phase, error.Step));
            Assert.Contains("gradients are missing from silo silo-2", error.Message, StringComparison.Ordinal);
            Assert.Contains("bucket 0", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Complete_SiloIsGone_EndsAtOnceAndNamesIt(bool inMemory)
    {
        using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
        using var mesh = new Mesh(rig, _ => new DirectWire(inMemory));
        rig.Draw(1);
        var errors = new JobError?[3];
        mesh.Everywhere(silo =>
        {
            if (silo == 2)
            {
                mesh.Exchanges[2].Dispose();
                return;
            }
            errors[silo] = Record.Exception(() => rig.Step(silo, mesh.Exchanges[silo], 1, Patience)) is JobErrorException e
                ? e.Error
                : null;
        });
        // Who waited until his patience was over would say so by another code.
        Assert.All(errors[..2], error => Assert.Equal((ErrorCodes.SiloLost, "silo-2"), (error!.Code, error.Silo)));
    }

    /// <summary>A silo that has all it needs and has given all may end while another still waits for a third.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Complete_OneHasEndedAfterGivingAll_OthersGoOn(bool inMemory)
    {
        using var rig = new ExchangeRig([700, 13], [1, 1, 1], 3);
        using var line = new HeldLine();
        using var mesh = new Mesh(rig, silo => silo == 2 ? line : new DirectWire(inMemory));
        rig.Draw(1);
        line.Hold();
        mesh.Everywhere(silo =>
        {
            rig.Step(silo, mesh.Exchanges[silo], 1, Patience);
            if (silo != 1) return;
            mesh.Exchanges[1].Dispose();
            // Time for silo 0 to see that end before it hears silo 2.
            line.Let(TimeSpan.FromMilliseconds(500));
        });
        rig.Check(0, 1);
        rig.Check(2, 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Abort_OneSilo_ReasonReachesAllThatWait(bool inMemory)
    {
        using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
        using var mesh = new Mesh(rig, _ => new DirectWire(inMemory));
        rig.Draw(1);
        var reason = new JobError(ErrorCodes.DataInvalid, "Sample 7 of silo-2 is broken.", new(2), "silo-2", "data", 1);
        var errors = new JobError?[3];
        mesh.Everywhere(silo =>
        {
            if (silo == 2) mesh.Exchanges[2].Abort(reason);
            else errors[silo] = Record.Exception(() => rig.Step(silo, mesh.Exchanges[silo], 1, Patience)) is JobErrorException e
                ? e.Error
                : null;
        });
        Assert.All(errors[..2], error => Assert.Equal(reason, error));
    }

    [Fact]
    public void Listener_Strangers_AreRefusedWithBothValuesWhileTheJobGoesOn()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        using var mesh = new Mesh(rig);
        var listener = IPEndPoint.Parse(PeerAddress.Parse(mesh.Endpoints[0]).Wire);
        Knock(listener, "GET / HTTP/1.1\r\nHost: silo\r\nAccept: everything\r\n\r\n"u8.ToArray());
        byte[] oldFrame = new byte[FrameHeader.Size];
        BitConverter.TryWriteBytes(oldFrame, FrameHeader.Mark);
        oldFrame[16] = 2;
        Knock(listener, oldFrame);
        byte[] huge = [.. "DTXH"u8, .. new byte[40]];
        BitConverter.TryWriteBytes(huge.AsSpan(24), 1 << 31);
        Knock(listener, huge);
        for (var step = 1; step <= 2; step++)
        {
            rig.Draw(step);
            mesh.Everywhere(silo => rig.Step(silo, mesh.Exchanges[silo], step, Patience));
            for (var silo = 0; silo < rig.Silos; silo++) rig.Check(silo, step);
        }
        Assert.Contains(
            mesh.Warnings, w => w.Contains("found the first bytes 47455420, expected a handshake (44545848)", StringComparison.Ordinal));
        Assert.Contains(mesh.Warnings, w => w.Contains(
            "generation 2 without a handshake, expected a handshake for generation 3", StringComparison.Ordinal));
        Assert.Contains(mesh.Warnings, w => w.Contains("2147483648 bytes, expected at most 4096", StringComparison.Ordinal)
            && w.Contains("3 refused so far", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Listener_OtherFingerprint_IsRefusedWithBothValues()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        rig.Jobs[1].Silos = rig.Jobs[1].Silos with { Fingerprint = "another libtorch" };
        using var meeting = new LocalRendezvous(2);
        var warnings = new List<string>();
        // The listener would wait a minute for the right silo: the refused one's word is enough here.
        var other = Task.Run(() => Record.Exception(() => Factory(meeting, 1, warnings).Open(rig.Jobs[1])));
        using var listener = new PeerListener(new DirectWire(), w => { lock (warnings) warnings.Add(w); });
        var mesh = meeting.Place(0).Meet(new ExchangeOffer(listener.Endpoint, rig.Jobs[0].Silos.Fingerprint));
        listener.Open(rig.Jobs[0].Silos, [.. mesh.Secret]);
        var refused = Assert.IsType<JobException>(await other);
        foreach (var words in (string[])["another libtorch", "same everywhere", "silo-1", "silo-0"])
            Assert.Contains(words, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Listener_HundredsThatSayNothing_MakeRoomForTheSilo()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        var warnings = new List<string>();
        using var listener = new PeerListener(new DirectWire(), w => { lock (warnings) warnings.Add(w); });
        var secret = new byte[32];
        listener.Open(rig.Jobs[0].Silos, secret);
        var strangers = Enumerable.Range(0, 300).Select(_ => Dial(listener)).ToList();
        using var socket = Dial(listener);
        _ = PeerHandshake.Call(socket, rig.Jobs[1].Silos, 0, secret);
        var proven = listener.Take(Patience);
        Assert.Equal(1, proven.Silo);
        strangers.ForEach(s => s.Dispose());
        proven.Stream.Dispose();
        lock (warnings) Assert.InRange(warnings.Count, 10, 20);
        Assert.True(listener.Refused >= 200, $"{listener.Refused} refused.");
    }

    private static Socket Dial(PeerListener listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPEndPoint.Parse(PeerAddress.Parse(listener.Endpoint).Wire));
        return socket;
    }

    [Fact]
    public void Listener_AnotherSecret_IsRefused()
    {
        using var rig = new ExchangeRig([900_000], [1, 1], 2);
        using var listener = new PeerListener(new DirectWire(), _ => { });
        listener.Open(rig.Jobs[0].Silos, new byte[32]);
        using var socket = Dial(listener);
        byte[] wrong = [.. Enumerable.Repeat((byte)1, 32)];
        Assert.Throws<JobException>(() => PeerHandshake.Call(socket, rig.Jobs[1].Silos, 0, wrong));
    }

    [Theory]
    [InlineData("another generation")]
    [InlineData("a replayed header")]
    [InlineData("a length beyond the slice")]
    [InlineData("a changed bit")]
    public unsafe void Seal_AnythingButTheNextFrame_IsNotGenuine(string what)
    {
        var sender = new FrameSeal(new byte[16]);
        var receiver = new FrameSeal(new byte[16]);
        FrameHeader header =
            new() { Magic = FrameHeader.Mark, Kind = FrameKind.Operand, Generation = 3, Step = 5, PayloadBytes = 4096, Sequence = 7 };
        sender.Seal(&header);
        Assert.True(receiver.Check(&header, 7));
        switch (what)
        {
            case "another generation": header.Generation = 2; break;
            case "a length beyond the slice": header.PayloadBytes = int.MaxValue; break;
            case "a changed bit": header.Step ^= 1; break;
        }
        Assert.False(receiver.Check(&header, what == "a replayed header" ? 8UL : 7UL));
    }

    [Fact]
    public void Seal_PaperVectors_GivesTheirTags()
    {
        var seal = new FrameSeal([.. Enumerable.Range(0, 16).Select(i => (byte)i)]);
        Assert.Equal(0x726fdb47dd0e0e31UL, seal.Hash([]));
        Assert.Equal(0xa129ca6149be45e5UL, seal.Hash([.. Enumerable.Range(0, 15).Select(i => (byte)i)]));
    }

    private static PeerExchangeFactory Factory(
        LocalRendezvous meeting, int silo, List<string> warnings, IExchangeWire? wire = null, int? cores = null) =>
        new(
            meeting.Place(silo), wire ?? new DirectWire(), overlap: true, w =>
            {
                lock (warnings) warnings.Add(w);
            }, cores);

    /// <summary>Sends bytes to a listener and waits until it has dropped the connection.</summary>
    private static void Knock(IPEndPoint listener, byte[] bytes)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(listener);
        socket.Send(bytes);
        socket.ReceiveTimeout = 20_000;
        try
        {
            while (socket.Receive(new byte[256]) > 0)
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
        }
    }

    /// <summary>All silos of a rig, connected over loopback in this process.</summary>
    private sealed class Mesh : IDisposable
    {
        /// <param name="wires">The way by which each silo calls those before it.</param>
        public Mesh(ExchangeRig rig, Func<int, IExchangeWire>? wires = null, int? cores = null)
        {
            using var meeting = new LocalRendezvous(rig.Silos);
            Exchanges = new IGradientExchange[rig.Silos];
            Endpoints = meeting.Endpoints;
            Everywhere(silo => Exchanges[silo] = Factory(meeting, silo, Warnings, wires?.Invoke(silo), cores).Open(rig.Jobs[silo]));
        }

        public IGradientExchange[] Exchanges { get; }

        public string[] Endpoints { get; }

        public List<string> Warnings { get; } = [];

        public void Everywhere(Action<int> action) => ExchangeConformance.Everywhere(Exchanges.Length, action);

        public void Dispose() => Array.ForEach(Exchanges, e => e.Dispose());
    }
}
