using System.Net;
using System.Net.Sockets;

namespace Distributed.Testing.Servers;

internal static class FreePort
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan TryAgain = TimeSpan.FromMilliseconds(20);

    public static int Take()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>Waits until something listens.</summary>
    public static async Task AnswersAsync(int port)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); ; await Task.Delay(TryAgain, TimeProvider.System))
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port);
                return;
            }
            catch (SocketException) when (TimeProvider.System.GetElapsedTime(begin) < Deadline)
            {
                // Not yet.
            }
        }
    }
}
