using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Silo.Security;
using Distributed.Testing.Training;
using Distributed.Training.Exchange;

namespace Distributed.Silo.Tests.Security;

public sealed class ExchangeTunnelTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private readonly TestAuthority authority = new TestAuthority().Issue("silo");
    private readonly List<TunnelSite> sites = [];

    public async Task InitializeAsync()
    {
        for (var silo = 0; silo < 3; silo++) sites.Add(await TunnelSite.Start(authority.SiloFiles("silo")));
    }

    public Task DisposeAsync()
    {
        sites.ForEach(site => site.Dispose());
        authority.Dispose();
        return Task.CompletedTask;
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(1, 1, 2)]
    public void Train_ThroughTheTunnel_GivesTheBitsOfOneRank(params int[] shares)
    {
        var job = TrainingHarness.Shapes(Precision.MixedBFloat16) with { GlobalBatch = 24, MicroBatch = 2, ClipNorm = 0.5 };
        var outcome = SiloHarness.Run(job, shares, factory: Factory);
        Assert.Null(outcome.Error);
        Assert.Equal(TrainingHarness.Run(job, 1).Hash, outcome.Hash);
        Assert.All(sites, site => Assert.Equal(0, site.Refused.Count));
    }

    [Fact]
    public async Task Connect_BothWays_CarriesBytesHalfClosesAndEnds()
    {
        using var listener = Listen();
        var (endpoint, lease) = sites[0].Tunnel.Publish((IPEndPoint)listener.LocalEndPoint!);
        using var near = await Task.Run(() => sites[1].Tunnel.Connect(endpoint));
        using var far = await listener.AcceptAsync();
        var sent = new byte[3_000_000];
        new Random(1).NextBytes(sent);
        var sending = Task.Run(() =>
        {
            near.Send(sent);
            near.Shutdown(SocketShutdown.Send);
        });
        Assert.Equal(sent, await ReadAll(far));
        await sending;
        // The other direction outlives the end of the first.
        await far.SendAsync(sent.AsMemory(0, 1000));
        far.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent[..1000], await ReadAll(near));
        lease.Dispose();
        var refused = Assert.Throws<IOException>(() => sites[1].Tunnel.Connect(endpoint));
        Assert.Contains("knows no such listener", refused.Message, StringComparison.Ordinal);
        await Settled(1);
        Assert.Equal(1, sites[0].Refused.Count);
    }

    [Fact]
    public void Complete_ProcessOfASiloDies_EndsAtOnceAndNamesIt()
    {
        using var rig = new ExchangeRig([900_000], [1, 1, 1], 3);
        using var meeting = new LocalRendezvous(3);
        var exchanges = new IGradientExchange[3];
        Everywhere(silo => exchanges[silo] = Factory(silo, meeting.Place(silo)).Open(rig.Jobs[silo]));
        rig.Draw(1);
        var errors = new JobError?[3];
        Everywhere(silo =>
        {
            // What the kernel does with the sockets of a process that is killed.
            if (silo == 2) sites[2].Tunnel.Dispose();
            else
                errors[silo] = Record.Exception(() => rig.Step(silo, exchanges[silo], 1, Patience)) is JobErrorException e ? e.Error : null;
        });
        // Who waited until the patience was over would say so by another code.
        Assert.All(errors[..2], error => Assert.Equal((ErrorCodes.SiloLost, "silo-2"), (error!.Code, error.Silo)));
        Array.ForEach(exchanges, e => e.Dispose());
    }

    [Fact]
    public async Task Listener_Strangers_AreRefusedAndCountedWhileSilosGetThrough()
    {
        using TestAuthority other = new("another authority");
        authority.Issue("late", fromDays: -10, toDays: -1).Issue("misnamed", dnsName: "trainer.example").Issue("server", serverOnly: true);
        using X509Certificate2 foreign = other.Issue("silo").Load("silo"), late = authority.Load("late"),
            misnamed = authority.Load("misnamed"), server = authority.Load("server");
        var listener = sites[0].Tunnel.Endpoint;
        foreach (var certificate in (X509Certificate2?[])[null, foreign, late, misnamed, server])
            Assert.False(await Stranger.Knock(listener, certificate));
        await Stranger.Babble(listener, "GET / HTTP/1.1\r\nHost: silo\r\n\r\n"u8.ToArray());
        await Settled(6);
        Assert.Equal(6, sites[0].Refused.Count);

        // A silo that is who it says, but greets as none does.
        using var own = authority.Load("silo");
        Assert.False(await Stranger.Knock(listener, own));
        await Settled(7);
        Train_ThroughTheTunnel_Once();
    }

    [Fact]
    public async Task Connect_DoorOfAnotherAuthority_SaysWhy()
    {
        using TestAuthority other = new("another authority");
        using var foreign = await TunnelSite.Start(other.Issue("silo").SiloFiles("silo"));
        var (endpoint, _) = foreign.Tunnel.Publish(new IPEndPoint(IPAddress.Loopback, 1));
        var error = Assert.Throws<IOException>(() => sites[0].Tunnel.Connect(endpoint));
        Assert.Contains(
            "not signed by an authority of DTRAIN_SILO_CA, but by CN=another authority", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Connect_SiloWithoutATunnel_SaysWhatToDo()
    {
        foreach (var wire in (IExchangeWire[])[sites[0].Tunnel, new DirectWire()])
        {
            var endpoint = wire is DirectWire ? "127.0.0.1:4711/0123456789abcdef" : "127.0.0.1:4711";
            Assert.Contains(
                "to all silos of a cluster or to none", Assert.Throws<IOException>(() => wire.Connect(endpoint)).Message,
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Start_PortInUse_NamesTheVariable()
    {
        using var holder = Listen();
        var port = ((IPEndPoint)holder.LocalEndPoint!).Port;
        using var tunnel = new ExchangeTunnel(
            new NetworkSettings { ExchangePort = port }, sites[0].Identity, sites[0].Refused, TimeProvider.System);
        var error = await Assert.ThrowsAsync<JobException>(() => tunnel.StartAsync(default));
        Assert.Equal("port-in-use", error.Code);
        Assert.Contains($"DTRAIN_EXCHANGE_PORT: port {port} on 127.0.0.1 is in use", error.Message, StringComparison.Ordinal);
    }

    private PeerExchangeFactory Factory(int silo, IExchangeRendezvous place) => new(place, sites[silo].Tunnel, overlap: true, _ => { });

    private void Train_ThroughTheTunnel_Once()
    {
        var job = TrainingHarness.Shapes() with { Steps = 1 };
        Assert.Null(SiloHarness.Run(job, [1, 1], factory: Factory).Error);
    }

    /// <summary>A refusal is counted after the caller has seen it.</summary>
    private async Task Settled(long refused)
    {
        for (var i = 0; i < 500 && sites[0].Refused.Count < refused; i++)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
    }

    private static void Everywhere(Action<int> action)
    {
        var raised = new Exception?[3];
        var threads = Enumerable.Range(0, 3).Select(silo => new Thread(() => raised[silo] = Record.Exception(() => action(silo)))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.All(raised, Assert.Null);
    }

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static async Task<byte[]> ReadAll(Socket socket)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var read = new MemoryStream();
        var buffer = new byte[65536];
        while (await socket.ReceiveAsync(buffer, patience.Token) is > 0 and var count) read.Write(buffer, 0, count);
        return read.ToArray();
    }
}
