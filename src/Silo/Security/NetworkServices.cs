using Distributed.Training.Exchange;

namespace Distributed.Silo.Security;

/// <summary>What the network settings ask for, and nothing else.</summary>
internal static class NetworkServices
{
    public static void AddNetwork(this IServiceCollection services, NetworkSettings network)
    {
        services.AddSingleton(network);
        if (network.Door is { } door) services.AddSingleton(s => ActivatorUtilities.CreateInstance<DoorCertificate>(s, door));
        if (network.Silos is not { } silos)
        {
            services.AddSingleton<IExchangeWire, DirectWire>();
            return;
        }
        services.AddSingleton<RefusedPeers>().AddSingleton(s => ActivatorUtilities.CreateInstance<SiloIdentity>(s, silos));
        services.AddSingleton<ExchangeTunnel>().AddSingleton<IExchangeWire>(s => s.GetRequiredService<ExchangeTunnel>());
        services.AddHostedService(s => s.GetRequiredService<ExchangeTunnel>());
        MutualTlsMiddleware.AddTo(services);
    }
}
