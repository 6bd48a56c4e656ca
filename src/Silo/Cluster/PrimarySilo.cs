using System.Net;
using System.Net.Sockets;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Cluster;

/// <summary>The first silo of a cluster on this machine: it holds the table of members.</summary>
internal static class PrimarySilo
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until something listens there; without it Orleans would try in silence for minutes.</summary>
    /// <exception cref="JobException">Code <c>cluster-unreachable</c>.</exception>
    public static async Task Await(IPEndPoint primary, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience, TimeProvider.System);
        while (true)
        {
            try
            {
                using var probe = new Socket(primary.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                await probe.ConnectAsync(primary, deadline.Token);
                return;
            }
            catch (SocketException) when (!deadline.IsCancellationRequested)
            {
                await Task.Delay(TryAgain, TimeProvider.System, deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                throw new JobException(
                    ServeErrors.ClusterUnreachable,
                    $"DTRAIN_PRIMARY: nothing listens at {primary}; start the first silo and take the endpoint from its ready line.", e);
            }
        }
    }
}
