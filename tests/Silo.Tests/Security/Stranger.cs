using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Distributed.Silo.Tests.Security;

/// <summary>Calls at an endpoint between silos, with any certificate or none, and waits until the endpoint has dropped it.</summary>
internal static class Stranger
{
    /// <returns>Whether a byte came through the TLS that was set up.</returns>
    public static async Task<bool> Knock(IPEndPoint endpoint, X509Certificate2? certificate)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var socket = await Connect(endpoint, patience.Token);
        await using var tls = new SslStream(new NetworkStream(socket), false, (_, shown, _, _) => shown is not null);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "dtrain-silo",
                    ClientCertificates = certificate is null ? null : [certificate],
                },
                patience.Token);
            await tls.WriteAsync(new byte[64], patience.Token);
            return await tls.ReadAsync(new byte[1], patience.Token) > 0;
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            return false;
        }
    }

    /// <summary>Sends bytes that are no TLS.</summary>
    public static async Task Babble(IPEndPoint endpoint, ReadOnlyMemory<byte> bytes)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        using var socket = await Connect(endpoint, patience.Token);
        await socket.SendAsync(bytes, patience.Token);
        try
        {
            while (await socket.ReceiveAsync(new byte[256], patience.Token) > 0)
            {
            }
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
        }
    }

    private static async Task<Socket> Connect(IPEndPoint endpoint, CancellationToken cancel)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint, cancel);
        return socket;
    }
}
