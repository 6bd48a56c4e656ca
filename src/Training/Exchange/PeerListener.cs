using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Distributed.Core.Jobs;

namespace Distributed.Training.Exchange;

/// <summary>A generation's listener for the other silos: proves who calls, turns everyone else away, and counts them.</summary>
internal sealed class PeerListener : IDisposable
{
    private const int GreetingsAtOnce = 64;
    private const int RefusalsTold = 10;
    private const int Waiting = 128;
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Socket socket;
    private readonly Socket? local;
    private readonly IDisposable lease;
    private readonly Action<string> warn;
    private readonly BlockingCollection<ProvenPeer> arrived = [];
    private readonly UnprovenCallers unproven = new(GreetingsAtOnce, PeerHandshake.LongestGreeting, TimeProvider.System);
    private readonly HashSet<int> known = [];
    private readonly Lock gate = new();
    private ExchangeSilos? silos;
    private byte[] secret = [];
    private long refused;
    private readonly ManualResetEventSlim closing = new();
    private volatile bool closed;

    /// <summary>
    /// Listens on loopback, at any free port, and where all silos are on this machine at a Unix socket as well.
    /// </summary>
    /// <param name="wire">How the other silos get there.</param>
    /// <param name="warn">Takes a line about each of the first callers that were refused, then at each doubling of their number.</param>
    public PeerListener(IExchangeWire wire, Action<string> warn)
    {
        this.warn = warn;
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(Waiting);
        (var endpoint, lease) = wire.Publish((IPEndPoint)socket.LocalEndPoint!);
        (local, var name) = wire.IsOneMachine ? ListenHere() : default;
        Endpoint = new PeerAddress(endpoint, name).ToString();
    }

    /// <summary>What the other silos are told.</summary>
    public string Endpoint { get; }

    /// <value>Callers turned away so far.</value>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Starts to answer; until then callers wait in the kernel.</summary>
    public void Open(ExchangeSilos expected, byte[] generationSecret)
    {
        (silos, secret) = (expected, generationSecret);
        Start(socket);
        if (local is not null) Start(local);

        void Start(Socket at) => new Thread(() => Accept(at)) { IsBackground = true, Name = "exchange listener" }.Start();
    }

    /// <summary>The next proven silo.</summary>
    /// <exception cref="JobException">None came in time.</exception>
    public ProvenPeer Take(TimeSpan patience)
    {
        if (arrived.TryTake(out var peer, patience)) return peer;
        lock (gate)
        {
            var missing = Enumerable.Range(silos!.Index + 1, silos.Count - silos.Index - 1).Where(s => !known.Contains(s));
            throw new JobException(ErrorCodes.Deadline,
                $"Silo {silos.Names[silos.Index]}: no connection from silo {string.Join(", ", missing.Select(s => silos.Names[s]))} "
                + "in time; look at its log and at the network between the silos, then resume from the last checkpoint.");
        }
    }

    public void Dispose()
    {
        closed = true;
        closing.Set();
        lease.Dispose();
        socket.Dispose();
        local?.Dispose();
        while (arrived.TryTake(out var peer)) peer.Stream.Dispose();
    }

    /// <returns>Nulls: this system has no such sockets, and the other silos come over the wire.</returns>
    private static (Socket? Socket, string? Name) ListenHere()
    {
        var name = PeerAddress.NewLocal();
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(PeerAddress.LocalEndpoint(name));
            socket.Listen(Waiting);
            return (socket, name);
        }
        catch (SocketException)
        {
            socket?.Dispose();
            return default;
        }
    }

    private void Accept(Socket at)
    {
        while (!closed)
        {
            try
            {
                var caller = at.Accept();
                var from = caller.RemoteEndPoint is IPEndPoint far ? far.ToString() : "a process of this machine";
                var place = unproven.Enter(caller);
                new Thread(() => Greet(caller, from, place)) { IsBackground = true, Name = "exchange greeting" }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                closing.Wait(AfterFailure);
            }
        }
    }

    private void Greet(Socket caller, string from, UnprovenCallers.Place place)
    {
        using var _ = place;
        IPeerStream? stream = null;
        try
        {
            var (silo, sealOut, sealIn) = PeerHandshake.Answer(caller, silos!, secret);
            stream = caller.AddressFamily == AddressFamily.Unix ? MemoryHandover.Give(caller) : new SocketStream(caller);
            place.Prove();
            bool first;
            lock (gate) first = known.Add(silo);
            if (!first || closed) throw new RefusedException($"found a second connection of silo {silos!.Names[silo]}, expected one");
            arrived.Add(new ProvenPeer(silo, stream, sealOut, sealIn));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            stream?.Dispose();
            Refuse(caller, from, place.Closed ?? (e is RefusedException ? e.Message : "it did not complete the handshake"));
        }
    }

    private void Refuse(Socket caller, string from, string why)
    {
        var count = Interlocked.Increment(ref refused);
        caller.Dispose();
        // The first ones, then ever fewer: a flood must not fill the log, nor pass unseen.
        if (closed || (count > RefusalsTold && !long.IsPow2(count))) return;
        warn($"The exchange of silo {silos!.Names[silos.Index]} refused a connection from {from}: "
            + $"{why}. Nothing of it was used; {count} refused so far.");
    }
}

/// <summary>A connection to another silo of the generation, which has proven that it is that one.</summary>
internal sealed record ProvenPeer(int Silo, IPeerStream Stream, FrameSeal Out, FrameSeal In);
