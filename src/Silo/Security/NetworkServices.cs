using Distributed.Training.Exchange;

namespace Distributed.Silo.Security;

/// <summary>What the network settings ask for, and nothing else.</summary>
internal static class NetworkServices
{
    public static void AddNetwork(this IServiceCollection services, NetworkSettings network)
    {
        services.AddSingleton(network);
        if (network.Endpoint is { } endpoint)
            services.AddSingleton(s => ActivatorUtilities.CreateInstance<GatewayCertificate>(s, endpoint));
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
