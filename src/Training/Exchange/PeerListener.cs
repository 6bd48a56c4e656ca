using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Distributed.Core;

namespace Distributed.Training.Exchange;

/// <summary>A generation's door for the other silos: proves who calls, turns everyone else away, and counts them.</summary>
internal sealed class PeerListener : IDisposable
{
    private const int GreetingsAtOnce = 16;
    private const int RefusalsTold = 10;
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly Socket socket;
    private readonly IDisposable lease;
    private readonly Action<string> warn;
    private readonly BlockingCollection<(int Silo, Socket Socket, FrameSeal Out, FrameSeal In)> arrived = [];
    private readonly SemaphoreSlim greeting = new(GreetingsAtOnce);
    private readonly HashSet<int> known = [];
    private readonly Lock gate = new();
    private ExchangeSilos? silos;
    private byte[] secret = [];
    private long refused;
    private readonly ManualResetEventSlim closing = new();
    private volatile bool closed;

    /// <summary>Listens on loopback, at any free port.</summary>
    /// <param name="wire">How the other silos get there.</param>
    /// <param name="warn">Takes a line about each of the first callers that were refused.</param>
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
        new Thread(Accept) { IsBackground = true, Name = "exchange door" }.Start();
    }

    /// <summary>The next proven silo.</summary>
    /// <exception cref="JobException">None came in time.</exception>
    public (int Silo, Socket Socket, FrameSeal Out, FrameSeal In) Take(TimeSpan patience)
    {
        if (arrived.TryTake(out var link, patience)) return link;
        lock (gate)
            throw new JobException(ErrorCodes.Deadline,
                $"Silo {silos!.Names[silos.Index]}: no connection from silo {string.Join(", ", Enumerable.Range(silos.Index + 1, silos.Count - silos.Index - 1).Where(s => !known.Contains(s)).Select(s => silos.Names[s]))} in time; look at its log and at the network between the silos, then resume from the last checkpoint.");
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
                if (!greeting.Wait(0))
                {
                    Refuse(caller, $"{GreetingsAtOnce} other callers are being greeted");
                    continue;
                }
                new Thread(() => Greet(caller)) { IsBackground = true, Name = "exchange greeting" }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                closing.Wait(AfterFailure);
            }
        }
    }

    private void Greet(Socket caller)
    {
        try
        {
            var (silo, sealOut, sealIn) = PeerHandshake.Answer(caller, silos!, secret);
            bool first;
            lock (gate) first = known.Add(silo);
            if (first && !closed) arrived.Add((silo, caller, sealOut, sealIn));
            else Refuse(caller, $"found a second connection of silo {silos!.Names[silo]}, expected one");
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Refuse(caller, e is RefusedException ? e.Message : "it did not complete the handshake");
        }
        finally
        {
            greeting.Release();
        }
    }

    private void Refuse(Socket caller, string why)
    {
        var count = Interlocked.Increment(ref refused);
        var from = Remote(caller);
        caller.Dispose();
        if (closed || count > RefusalsTold) return;
        warn($"The exchange of silo {silos!.Names[silos.Index]} refused a connection from {from}: {why}. Nothing of it was used; {count} refused so far.");
    }

    private static string Remote(Socket caller)
    {
        try
        {
            return caller.RemoteEndPoint?.ToString() ?? "an unknown address";
        }
        catch (SocketException)
        {
            return "an unknown address";
        }
    }
}
