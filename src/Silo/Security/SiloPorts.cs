using System.Net;
using System.Net.Sockets;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;
using Orleans.Configuration;

namespace Distributed.Silo.Security;

/// <summary>The ports of Orleans' own endpoints.</summary>
internal readonly record struct SiloPorts(int Silo, int Gateway)
{
    /// <summary>The configured port, or free ones.</summary>
    public static SiloPorts Choose(NetworkSettings network)
    {
        // Both are held before either is known, or they could be one.
        using TcpListener silo = new(network.SiloAddress, network.SiloPort), gateway = new(IPAddress.Loopback, 0);
        try
        {
            silo.Start();
        }
        catch (SocketException e)
        {
            throw Explain(e, network.SiloAddress, network.SiloPort, NetworkSettings.SiloPortVariable);
        }
        gateway.Start();
        return new SiloPorts(((IPEndPoint)silo.LocalEndpoint).Port, ((IPEndPoint)gateway.LocalEndpoint).Port);
    }

    /// <summary>Tells the silo where to listen and what to tell the others; comes after the clustering's own wishes.</summary>
    public static void Bind(ISiloBuilder silo, NetworkSettings network) => silo.Configure<EndpointOptions>(o =>
    {
        o.AdvertisedIPAddress = network.Advertised;
        o.SiloListeningEndpoint = new IPEndPoint(network.SiloAddress, o.SiloPort);
    });

    /// <returns>What to do about a port that cannot be had.</returns>
    public static JobException Explain(SocketException error, IPAddress address, int port, string variable) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => new JobException(
            ServeErrors.PortInUse,
            $"{variable}: port {port} on {address} is in use: end the program that holds it or choose another port (0 takes any free one).",
            error),
        SocketError.AddressNotAvailable => new JobException(
            ServeErrors.SettingsInvalid,
            $"{NetworkSettings.AddressVariable}: this machine has no address {address}; give one of its own, "
            + $"or 0.0.0.0 with {NetworkSettings.AdvertiseVariable}.", error),
        _ =>
            new JobException(ServeErrors.SettingsInvalid, $"{variable}: port {port} on {address} cannot be opened: {error.Message}", error),
    };
}
