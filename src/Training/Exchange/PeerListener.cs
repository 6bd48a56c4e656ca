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
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Socket socket;
    private readonly IDisposable lease;
    private readonly Action<string> warn;
    private readonly BlockingCollection<(int Silo, Socket Socket, FrameSeal Out, FrameSeal In)> arrived = [];
    private readonly UnprovenCallers unproven = new(GreetingsAtOnce, PeerHandshake.LongestGreeting, TimeProvider.System);
    private readonly HashSet<int> known = [];
    private readonly Lock gate = new();
    private ExchangeSilos? silos;
    private byte[] secret = [];
    private long refused;
    private readonly ManualResetEventSlim closing = new();
    private volatile bool closed;

    /// <summary>Listens on loopback, at any free port.</summary>
    /// <param name="wire">How the other silos get there.</param>
    /// <param name="warn">Takes a line about each of the first callers that were refused, then at each doubling of their number.</param>
    public PeerListener(IExchangeWire wire, Action<string> warn)
    {
        this.warn = warn;
        socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(128);
        (Endpoint, lease) = wire.Publish((IPEndPoint)socket.LocalEndPoint!);
    }

    /// <summary>What the other silos are told.</summary>
    public string Endpoint { get; }

    /// <value>Callers turned away so far.</value>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Starts to answer; until then callers wait in the kernel.</summary>
    public void Open(ExchangeSilos expected, byte[] generationSecret)
    {
        (silos, secret) = (expected, generationSecret);
        new Thread(Accept) { IsBackground = true, Name = "exchange listener" }.Start();
    }

    /// <summary>The next proven silo.</summary>
    /// <exception cref="JobException">None came in time.</exception>
    public (int Silo, Socket Socket, FrameSeal Out, FrameSeal In) Take(TimeSpan patience)
    {
        if (arrived.TryTake(out var link, patience)) return link;
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
        while (arrived.TryTake(out var link)) link.Socket.Dispose();
    }

    private void Accept()
    {
        while (!closed)
        {
            try
            {
                var caller = socket.Accept();
                var from = caller.RemoteEndPoint;
                var place = unproven.Enter(caller);
                new Thread(() => Greet(caller, from, place)) { IsBackground = true, Name = "exchange greeting" }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                closing.Wait(AfterFailure);
            }
        }
    }

    private void Greet(Socket caller, EndPoint? from, UnprovenCallers.Place place)
    {
        using var _ = place;
        try
        {
            var (silo, sealOut, sealIn) = PeerHandshake.Answer(caller, silos!, secret);
            place.Prove();
            bool first;
            lock (gate) first = known.Add(silo);
            if (first && !closed) arrived.Add((silo, caller, sealOut, sealIn));
            else Refuse(caller, from, $"found a second connection of silo {silos!.Names[silo]}, expected one");
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Refuse(caller, from, place.Closed ?? (e is RefusedException ? e.Message : "it did not complete the handshake"));
        }
    }

    private void Refuse(Socket caller, EndPoint? from, string why)
    {
        var count = Interlocked.Increment(ref refused);
        caller.Dispose();
        // The first ones, then ever fewer: a flood must not fill the log, nor pass unseen.
        if (closed || (count > RefusalsTold && !long.IsPow2(count))) return;
        warn($"The exchange of silo {silos!.Names[silos.Index]} refused a connection from {from?.ToString() ?? "an unknown address"}: "
            + $"{why}. Nothing of it was used; {count} refused so far.");
    }
}
