using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Tools;

/// <summary>A cluster's silo with certificates as <c>dtrain certs</c> makes them.</summary>
public sealed class SecureSilo : ClusterSilo
{
    internal string Certificates { get; private set; } = "";

    internal string Authority => Path.Combine(Certificates, "ca.crt");

    private protected override async Task ConfigureAsync(TemporaryDirectory files, IDictionary<string, string?> environment)
    {
        Certificates = files.File("tls");
        (await DtrainProcess.RunAsync("certs", Certificates, "--host", "trainer.example")).Exits(0);
        environment["DTRAIN_TLS_CERT"] = Path.Combine(Certificates, "endpoint.crt");
        environment["DTRAIN_TLS_KEY"] = Path.Combine(Certificates, "endpoint.key");
        environment["DTRAIN_SILO_CERT"] = Path.Combine(Certificates, "silo.crt");
        environment["DTRAIN_SILO_KEY"] = Path.Combine(Certificates, "silo.key");
        environment["DTRAIN_SILO_CA"] = Authority;
        // On every address of the machine, as in a container.
        environment["DTRAIN_ADDRESS"] = "0.0.0.0";
    }
}
