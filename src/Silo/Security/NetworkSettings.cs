using System.Globalization;
using System.Net;
using Distributed.Core.Jobs;
using Distributed.Silo.Failures;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Security;

/// <summary>The addresses that a silo opens, and what proves who calls there.</summary>
internal sealed record NetworkSettings
{
    public const string AddressVariable = "DTRAIN_ADDRESS";
    public const string AdvertiseVariable = "DTRAIN_ADVERTISE";
    public const string ClusteringVariable = "DTRAIN_CLUSTERING";
    public const string SiloPortVariable = "DTRAIN_SILO_PORT";
    public const string ExchangePortVariable = "DTRAIN_EXCHANGE_PORT";

    /// <summary>Where the gRPC endpoint listens.</summary>
    /// <value>Loopback.</value>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>
    /// Where Orleans and the exchange listen: on the gRPC endpoint's address, but on loopback when silos of one machine form the cluster.
    /// </summary>
    /// <value>Loopback.</value>
    public IPAddress SiloAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Where the other silos find this one.</summary>
    /// <value>Loopback.</value>
    public IPAddress Advertised { get; init; } = IPAddress.Loopback;

    /// <summary>Port of the Orleans endpoint.</summary>
    /// <value>0: any free one.</value>
    public int SiloPort { get; init; }

    /// <summary>Port of the exchange's tunnel, where there is one.</summary>
    /// <value>0: any free one.</value>
    public int ExchangePort { get; init; }

    /// <summary>The gRPC endpoint's certificate and key; null: plaintext, on loopback only.</summary>
    public PemFiles? Endpoint { get; init; }

    /// <summary>Certificate and key of this silo and the authorities that it trusts; null: silos meet on loopback only.</summary>
    public PemFiles? Silos { get; init; }

    /// <exception cref="JobException">
    /// What is wrong, with its variable; certificates are read and judged as of <paramref name="now"/>.
    /// </exception>
    public static NetworkSettings FromEnvironment(Func<string, string?> variable, DateTimeOffset now)
    {
        var address = Ip(variable, AddressVariable) ?? IPAddress.Loopback;
        var oneMachine = variable(ClusteringVariable) is null or "" or "localhost" or "files";
        var siloAddress = oneMachine ? IPAddress.Loopback : address;
        var settings = new NetworkSettings
        {
            Address = address,
            SiloAddress = siloAddress,
            Advertised = Advertise(variable, address, siloAddress, oneMachine),
            SiloPort = Port(variable, SiloPortVariable),
            ExchangePort = Port(variable, ExchangePortVariable),
            Endpoint = Together(variable, "DTRAIN_TLS_CERT", "DTRAIN_TLS_KEY"),
            Silos = Together(variable, "DTRAIN_SILO_CERT", "DTRAIN_SILO_KEY", "DTRAIN_SILO_CA"),
        };
        if (settings.Endpoint is { } endpoint) _ = GatewayCertificate.Read(endpoint, endpoint.Read(), now);
        if (settings.Silos is { } silos) _ = SiloIdentity.Read(silos, silos.Read(), now);
        if (!IPAddress.IsLoopback(address) && (settings.Endpoint is null || settings.Silos is null))
            throw Invalid($"{AddressVariable}: {address} is reached from other machines, which needs certificates: "
                + $"set {Missing(settings)}, or leave {AddressVariable} at 127.0.0.1. 'dtrain certs' makes certificates.");
        return settings;
    }

    private static string Missing(NetworkSettings settings) => string.Join(" and ", ((string?[])
    [
        settings.Endpoint is null ? "DTRAIN_TLS_CERT with DTRAIN_TLS_KEY" : null,
        settings.Silos is null ? "DTRAIN_SILO_CERT with DTRAIN_SILO_KEY and DTRAIN_SILO_CA" : null,
    ]).OfType<string>());

    private static IPAddress Advertise(Func<string, string?> variable, IPAddress address, IPAddress siloAddress, bool oneMachine)
    {
        if (Ip(variable, AdvertiseVariable) is { } given)
        {
            if (IsAny(given))
                throw Invalid($"{AdvertiseVariable}: found {given}, expected the one address at which the other silos reach this one.");
            if (oneMachine && !IPAddress.IsLoopback(given))
                throw Invalid($"{AdvertiseVariable}: found {given}, but with {ClusteringVariable} left out, or files, only silos of this "
                    + $"machine meet, on loopback; leave it out, or set {ClusteringVariable} to redis, postgres or kubernetes.");
            if (IPAddress.IsLoopback(address) && !IPAddress.IsLoopback(given))
                throw Invalid($"{AdvertiseVariable}: {given} is told to the other silos, but {AddressVariable} {address} answers on this "
                    + $"machine only; set {AddressVariable} to {given} or 0.0.0.0.");
            return given;
        }
        if (IPAddress.IsLoopback(siloAddress)) return siloAddress;
        // A pod knows its address from the manifest's downward field.
        if (variable(ClusteringVariable) == "kubernetes" && Ip(variable, "POD_IP") is { } pod) return pod;
        return IsAny(address)
            ? throw Invalid($"{AddressVariable}: {address} stands for all addresses of this machine; "
                + $"set {AdvertiseVariable} to the one at which the other silos reach it.")
            : address;
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IPAddress? Ip(Func<string, string?> variable, string name)
    {
        if (variable(name) is not { Length: > 0 } text) return null;
        return IPAddress.TryParse(text, out var address)
            ? address
            : throw Invalid($"{name}: found '{text}', expected an IP address such as 10.0.0.5.");
    }

    private static int Port(Func<string, string?> variable, string name)
    {
        if (variable(name) is not { Length: > 0 } text) return 0;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= ushort.MaxValue
            ? port
            : throw Invalid($"{name}: found '{text}', expected a port from 0 to {ushort.MaxValue} (0: any free one).");
    }

    /// <returns>Null when none of the variables is set.</returns>
    private static PemFiles? Together(Func<string, string?> variable, params IReadOnlyList<string> names)
    {
        var missing = names.Where(n => string.IsNullOrEmpty(variable(n))).ToList();
        if (missing.Count == names.Count) return null;
        return missing.Count == 0
            ? new PemFiles([.. names.Select(n => new PemFile(n, variable(n)!))])
            : throw Invalid($"{string.Join(" and ", names.Except(missing))} is set without {string.Join(" and ", missing)}; "
                + $"set all of {string.Join(", ", names)} or none.");
    }

    private static JobException Invalid(string message) => new(ServeErrors.SettingsInvalid, message);
}
