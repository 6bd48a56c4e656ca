using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Distributed.Core.Jobs;
using Distributed.Training.Exchange;

namespace Distributed.Silo.Security;

/// <summary>Carries exchange connections between silos inside TLS: one port for all jobs, both sides proven.</summary>
/// <remarks>
/// A listener of this process is published under a random ticket; a caller names a ticket, never an address, so the tunnel leads
/// nowhere but to listeners of jobs that run here.
/// </remarks>
internal sealed class ExchangeTunnel(NetworkSettings network, SiloIdentity identity, RefusedPeers refused, TimeProvider time)
    : IExchangeWire, IHostedService, IDisposable
{
    private const int GreetingsAtOnce = 64;
    private const string Name = "exchange tunnel";
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<ulong, IPEndPoint> published = new();
    private readonly ConcurrentDictionary<TunnelPumps, bool> running = new();
    private readonly UnprovenCallers unproven = new(GreetingsAtOnce, SiloIdentity.LongestHandshake, time);
    private readonly ManualResetEventSlim closing = new();
    private Socket? listener;

    public bool NeedsCores => true;

    /// <remarks>Two silos of one machine are not looked for: TLS is what the operator has asked for between all.</remarks>
    public bool IsOneMachine => false;

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint =>
        (IPEndPoint)(listener?.LocalEndPoint ?? throw new InvalidOperationException("The exchange tunnel has not started."));

    /// <exception cref="JobException">Code <c>port-in-use</c>.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        listener = new Socket(network.SiloAddress.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(network.SiloAddress, network.ExchangePort));
            listener.Listen(128);
        }
        catch (SocketException e)
        {
            throw SiloPorts.Explain(e, network.SiloAddress, network.ExchangePort, NetworkSettings.ExchangePortVariable);
        }
        new Thread(Accept) { IsBackground = true, Name = $"{Name} listener" }.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        closing.Set();
        return Task.CompletedTask;
    }

    public (string Endpoint, IDisposable Lease) Publish(IPEndPoint listener)
    {
        var ticket = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        published[ticket] = listener;
        return (string.Create(CultureInfo.InvariantCulture, $"{new IPEndPoint(network.Advertised, Endpoint.Port)}/{ticket:x16}"),
            new Lease(this, ticket));
    }

    public void Dispose()
    {
        closing.Set();
        listener?.Dispose();
        foreach (var pumps in running.Keys) pumps.Abort();
    }

    public Socket Connect(string endpoint)
    {
        var slash = endpoint.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPEndPoint.TryParse(endpoint[..slash], out var target)
            || !ulong.TryParse(endpoint.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticket))
            throw new IOException(
                "found an address without a tunnel, expected one with; give silo certificates to all silos of a cluster or to none");
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        string? why = null;
        using var deadline = new GreetingDeadline(socket, time);
        try
        {
            socket.Connect(target);
            var tls = Open(socket);
            tls.AuthenticateAsClient(identity.Calling(w => why = w));
            TunnelGreeting.Ask(tls, ticket);
            deadline.Dispose();
            var (mine, theirs) = LocalPair();
            Pump(tls, socket, mine);
            return theirs;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or SocketException or ObjectDisposedException)
        {
            socket.Dispose();
            throw new IOException(why ?? deadline.Words ?? Words(e), e);
        }
    }

    private void Accept()
    {
        while (!closing.IsSet)
        {
            try
            {
                var caller = listener!.Accept();
                var from = caller.RemoteEndPoint;
                var place = unproven.Enter(caller);
                new Thread(() => Answer(caller, from, place)) { IsBackground = true, Name = $"{Name} greeting" }.Start();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Closed, out of descriptors, or the caller has gone already.
                closing.Wait(AfterFailure);
            }
        }
    }

    private void Answer(Socket caller, EndPoint? from, UnprovenCallers.Place place)
    {
        string? why = null;
        Socket? local = null;
        using var _ = place;
        try
        {
            var tls = Open(caller);
            tls.AuthenticateAsServer(identity.Answering(w => why = w));
            local = Reach(TunnelGreeting.Hear(tls));
            TunnelGreeting.Reply(tls, known: local is not null);
            if (local is null) throw new IOException("it named a ticket that no listener here has");
            place.Prove();
            Pump(tls, caller, local);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or SocketException or ObjectDisposedException)
        {
            local?.Dispose();
            caller.Dispose();
            if (!closing.IsSet) refused.Note(Name, from, why ?? place.Closed ?? Words(e));
        }
    }

    /// <returns>Null when no listener is, or answers, behind the ticket.</returns>
    private Socket? Reach(ulong ticket)
    {
        if (!published.TryGetValue(ticket, out var target)) return null;
        var local = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            local.Connect(target);
            return local;
        }
        catch (SocketException)
        {
            local.Dispose();
            return null;
        }
    }

    private void Pump(SslStream tls, Socket wire, Socket local)
    {
        var pumps = new TunnelPumps(tls, wire, local, ended => running.TryRemove(ended, out _));
        running[pumps] = true;
        pumps.Start();
        if (closing.IsSet) pumps.Abort();
    }

    /// <summary>Of a failed handshake the cause says more than the failure.</summary>
    private static string Words(Exception e) => (e is AuthenticationException ? e.GetBaseException() : e).Message.TrimEnd('.');

    private static SslStream Open(Socket socket)
    {
        socket.NoDelay = true;
        // A machine that vanished says nothing; who reads from it is not to wait for ever.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        return new SslStream(new GatheringStream(socket, TunnelPumps.BufferBytes));
    }

    /// <summary>Two ends of one connection within this process.</summary>
    private static (Socket Mine, Socket Theirs) LocalPair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(16);
        var theirs = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        theirs.Connect(listener.LocalEndPoint!);
        while (true)
        {
            var mine = listener.Accept();
            if (mine.RemoteEndPoint!.Equals(theirs.LocalEndPoint)) return (mine, theirs);
            // Another process of this machine was in the way.
            mine.Dispose();
        }
    }

    /// <summary>Closes a socket whose greeting takes too long: its blocking calls end.</summary>
    private sealed class GreetingDeadline : IDisposable
    {
        private readonly ITimer timer;
        private volatile bool passed;

        public GreetingDeadline(Socket socket, TimeProvider time) => timer = time.CreateTimer(
            _ =>
            {
                passed = true;
                socket.Dispose();
            }, null, SiloIdentity.LongestHandshake, Timeout.InfiniteTimeSpan);

        /// <value>Null while it has not passed.</value>
        public string? Words => passed ? $"no greeting within {SiloIdentity.LongestHandshake.TotalSeconds} s" : null;

        public void Dispose() => timer.Dispose();
    }

    private sealed class Lease(ExchangeTunnel tunnel, ulong ticket) : IDisposable
    {
        public void Dispose() => tunnel.published.TryRemove(ticket, out _);
    }
}
