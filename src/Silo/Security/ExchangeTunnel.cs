using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Distributed.Core;
using Distributed.Silo.Serve;
using Distributed.Training.Exchange;

namespace Distributed.Silo.Security;

/// <summary>Carries exchange connections between silos inside TLS: one port for all jobs, both sides proven.</summary>
/// <remarks>
/// A listener of this process is published under a random ticket; whoever calls names a ticket, never an address, so the tunnel leads
/// nowhere but to listeners of jobs that run here.
/// </remarks>
internal sealed class ExchangeTunnel(NetworkSettings network, SiloIdentity identity, RefusedPeers refused, TimeProvider time) : IExchangeWire, IHostedService, IDisposable
{
    private const int GreetingsAtOnce = 64;
    private const string Name = "exchange tunnel";
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly ConcurrentDictionary<ulong, IPEndPoint> published = new();
    private readonly ConcurrentDictionary<TunnelPumps, bool> running = new();
    private readonly SemaphoreSlim greeting = new(GreetingsAtOnce);
    private readonly CancellationTokenSource closing = new();
    private Socket? listener;
    private CancellationToken ending;
    private int disposed;

    public bool NeedsCores => true;

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => (IPEndPoint)(listener?.LocalEndPoint ?? throw new InvalidOperationException("The exchange tunnel has not started."));

    /// <exception cref="JobException">Code <c>port-in-use</c>.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        ending = closing.Token;
        listener = new Socket(network.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(network.Address, network.ExchangePort));
            listener.Listen(128);
        }
        catch (SocketException e)
        {
            throw SiloPorts.Explain(e, network.Address, network.ExchangePort, NetworkSettings.ExchangePortVariable);
        }
        _ = Task.Run(Accept, CancellationToken.None);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => closing.CancelAsync();

    public (string Endpoint, IDisposable Lease) Publish(IPEndPoint listener)
    {
        var ticket = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        published[ticket] = listener;
        return (string.Create(CultureInfo.InvariantCulture, $"{new IPEndPoint(network.Advertised, Endpoint.Port)}/{ticket:x16}"), new Lease(this, ticket));
    }

    public Socket Connect(string endpoint) => Call(endpoint).GetAwaiter().GetResult();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1) return;
        closing.Cancel();
        listener?.Dispose();
        foreach (var pumps in running.Keys) pumps.Abort();
        closing.Dispose();
    }

    private async Task<Socket> Call(string endpoint)
    {
        var slash = endpoint.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPEndPoint.TryParse(endpoint[..slash], out var target) || !ulong.TryParse(endpoint.AsSpan(slash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticket))
            throw new IOException("found an address without a tunnel, expected one with; give silo certificates to all silos of a cluster or to none");
        using var deadline = new CancellationTokenSource(SiloIdentity.LongestHandshake, time);
        var socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        string? why = null;
        try
        {
            await socket.ConnectAsync(target, deadline.Token);
            var tls = Open(socket);
            await tls.AuthenticateAsClientAsync(identity.Calling(w => why = w), deadline.Token);
            await TunnelGreeting.Ask(tls, ticket, deadline.Token);
            var (mine, theirs) = LocalPair();
            Pump(tls, socket, mine);
            return theirs;
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException)
        {
            socket.Dispose();
            throw new IOException(
                why ?? (deadline.IsCancellationRequested ? $"no answer within {SiloIdentity.LongestHandshake.TotalSeconds} s" : Words(e)), e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task Accept()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                var caller = await listener!.AcceptAsync(ending);
                if (await greeting.WaitAsync(TimeSpan.Zero))
                {
                    _ = Answer(caller);
                    continue;
                }
                refused.Note(Name, caller.RemoteEndPoint, $"{GreetingsAtOnce} other callers are being greeted");
                caller.Dispose();
            }
            catch (SocketException)
            {
                // Out of descriptors, or the caller has gone already.
                await Task.Delay(AfterFailure, time);
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Answer(Socket caller)
    {
        using var deadline = new CancellationTokenSource(SiloIdentity.LongestHandshake, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, ending);
        string? why = null;
        Socket? local = null;
        EndPoint? from = null;
        try
        {
            from = caller.RemoteEndPoint;
            var tls = Open(caller);
            await tls.AuthenticateAsServerAsync(identity.Answering(w => why = w), either.Token);
            var ticket = await TunnelGreeting.Hear(tls, either.Token);
            if (!published.TryGetValue(ticket, out var target))
            {
                await TunnelGreeting.Reply(tls, known: false, either.Token);
                throw new IOException("it named a ticket that no listener here has");
            }
            local = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await local.ConnectAsync(target, either.Token);
            }
            catch (SocketException)
            {
                await TunnelGreeting.Reply(tls, known: false, either.Token);
                throw;
            }
            await TunnelGreeting.Reply(tls, known: true, either.Token);
            Pump(tls, caller, local);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            local?.Dispose();
            caller.Dispose();
            if (ending.IsCancellationRequested) return;
            refused.Note(Name, from, why ?? (deadline.IsCancellationRequested
                ? $"no greeting within {SiloIdentity.LongestHandshake.TotalSeconds} s"
                : Words(e)));
        }
        finally
        {
            greeting.Release();
        }
    }

    private void Pump(SslStream tls, Socket wire, Socket local)
    {
        var pumps = new TunnelPumps(tls, wire, local, ended => running.TryRemove(ended, out _));
        running[pumps] = true;
        pumps.Start();
        if (ending.IsCancellationRequested) pumps.Abort();
    }

    /// <summary>Of a failed handshake the cause says more than the failure.</summary>
    private static string Words(Exception e) => (e is AuthenticationException ? e.GetBaseException() : e).Message.TrimEnd('.');

    private static SslStream Open(Socket socket)
    {
        socket.NoDelay = true;
        // A machine that vanished says nothing; its pumps are not to wait for ever.
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        return new SslStream(new NetworkStream(socket, ownsSocket: false));
    }

    /// <summary>Two ends of one connection within this process.</summary>
    private static (Socket Mine, Socket Theirs) LocalPair()
    {
        using var door = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        door.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        door.Listen(16);
        var theirs = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        theirs.Connect(door.LocalEndPoint!);
        while (true)
        {
            var mine = door.Accept();
            if (mine.RemoteEndPoint!.Equals(theirs.LocalEndPoint)) return (mine, theirs);
            // Another process of this machine was in the way.
            mine.Dispose();
        }
    }

    private sealed class Lease(ExchangeTunnel tunnel, ulong ticket) : IDisposable
    {
        public void Dispose() => tunnel.published.TryRemove(ticket, out _);
    }
}
