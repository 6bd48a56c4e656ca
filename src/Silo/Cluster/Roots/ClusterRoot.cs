using System.Globalization;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Cluster.Roots;

/// <summary>Which cluster a silo claims its jobs root for.</summary>
internal static class ClusterRoot
{
    /// <param name="siloPort">Of this silo's Orleans endpoint.</param>
    /// <exception cref="JobException">Code <c>root-taken</c> or <c>storage</c>.</exception>
    public static Task<RootOwnership> Claim(
        ServeSettings settings, ClusterConnections connections, int siloPort, CancellationToken cancelled) =>
        RootOwnership.Claim(
            settings.JobsRoot, MarkOf(settings.Cluster!, connections.StoreIdentity, settings.Network.Advertised.ToString(), siloPort),
            TimeProvider.System, why => ProcessEnd.Now($"{why}; it ends. Its jobs continue from their last checkpoints."),
            cancelled: cancelled);

    /// <param name="store">What the members' store is called; null: the first silo holds them.</param>
    public static RootMark MarkOf(ClusterSettings cluster, string? store, string address, int siloPort)
    {
        var clustering = cluster.Clustering.ToString().ToLowerInvariant();
        var port = cluster.Primary?.Port ?? siloPort;
        // Without a store a cluster is the silos round one first silo, which is known by its port on this machine.
        var key = store is null ? string.Create(CultureInfo.InvariantCulture, $"{ThisMachine.Loopback} {port}") : store;
        return new RootMark(
            Guid.NewGuid().ToString("N"), $"{clustering} {cluster.ClusterId} {key}", cluster.ClusterId, clustering, cluster.SiloName,
            Environment.MachineName, Environment.ProcessId,
            store is not null ? null : cluster.Primary?.ToString() ?? string.Create(CultureInfo.InvariantCulture, $"{address}:{siloPort}"),
            store is null && cluster.Primary is null, TimeProvider.System.GetUtcNow());
    }
}
