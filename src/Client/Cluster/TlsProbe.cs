using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Distributed.Client.Cluster;

/// <summary>Finds out whether TLS answers where plaintext did not get through. Nothing is sent but a greeting.</summary>
internal static class TlsProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static async Task<bool> AnswersAsync(Uri address, TimeProvider time)
    {
        using CancellationTokenSource deadline = new(Patience, time);
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(address.Host, address.Port, deadline.Token);
            // Any certificate shows that it is TLS, though this one is not believed.
            var seen = false;
            await using SslStream tls = new(
                client.GetStream(), leaveInnerStreamOpen: false, (_, shown, _, _) => !(seen = shown is not null));
            try
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = address.Host }, deadline.Token);
            }
            catch (AuthenticationException) when (seen)
            {
                // The probe's own refusal.
            }
            return seen;
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException)
        {
            return false;
        }
    }
}
