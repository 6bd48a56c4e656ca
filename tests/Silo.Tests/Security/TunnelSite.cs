using Distributed.Silo.Security;
using Microsoft.Extensions.Logging.Abstractions;

namespace Distributed.Silo.Tests.Security;

/// <summary>What one silo has of a tunnel.</summary>
internal sealed class TunnelSite : IDisposable
{
    private TunnelSite(PemFiles files)
    {
        Identity = new SiloIdentity(files, TimeProvider.System, NullLogger<SiloIdentity>.Instance);
        Tunnel = new ExchangeTunnel(new NetworkSettings { Silos = files }, Identity, Refused, TimeProvider.System);
    }

    public SiloIdentity Identity { get; }

    public RefusedPeers Refused { get; } = new(TimeProvider.System, NullLogger<RefusedPeers>.Instance);

    public ExchangeTunnel Tunnel { get; }

    public static async Task<TunnelSite> Start(PemFiles files)
    {
        var site = new TunnelSite(files);
        await site.Tunnel.StartAsync(default);
        return site;
    }

    public void Dispose() => Tunnel.Dispose();
}
