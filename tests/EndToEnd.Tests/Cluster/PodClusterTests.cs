using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing.Servers;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>
/// Three silos set up as the manifests do it: members in the Kubernetes API, open addresses, certificates everywhere, state in files.
/// </summary>
public sealed class PodClusterTests : IAsyncLifetime, IDisposable
{
    private const int SigTerm = 15;
    private static readonly IPAddress? Outer = NetworkInterface.GetAllNetworkInterfaces()
        .Where(n => n.OperationalStatus == OperationalStatus.Up)
        .SelectMany(n => n.GetIPProperties().UnicastAddresses).Select(a => a.Address)
        .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a));

    private readonly ClusterFolder folder = new();
    private FakeKubernetesApi api = null!;

    public async Task InitializeAsync() => api = await FakeKubernetesApi.StartAsync();

    public async Task DisposeAsync() => await api.DisposeAsync();

    public void Dispose() => folder.Dispose();

    /// <summary>A fact that needs an address beside loopback.</summary>
    private sealed class OuterAddressFactAttribute : FactAttribute
    {
        public OuterAddressFactAttribute() => Skip = Outer is null ? "this machine has no address but loopback" : null;
    }

    [OuterAddressFact]
    public async Task RollingRestart_WithAJobOverTwoPods_LosesNoStepAndKeepsTheBits()
    {
        var certificates = Path.Combine(folder.Path, "tls");
        (await DtrainProcess.RunAsync("certs", certificates, "--host", $"{Outer}")).Exits(0);
        var pods = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => StartAsync($"dtrain-{i}", certificates)));
        try
        {
            var job = folder.Write("job.yaml", LossTests.Job.Replace("steps: 400", "steps: 1500", StringComparison.Ordinal));
            (await RunAsync(pods[1], "submit", job, "--id", "rolled", "--set", "workers.min=3")).Exits(0);
            var calm = (await DtrainProcess.RunAsync(
                "train", job, "--ranks", "1", "--json", "--set", "workers.min=1", "--out",
                Path.Combine(folder.Path, "calm"))).Exits(0).Hash;
            for (var i = 0; i < 3; i++)
            {
                ProcessTable.Signal(pods[i].Id, SigTerm);
                await pods[i].HasEndedAsync();
                pods[i].Dispose();
                pods[i] = await StartAsync($"dtrain-{i}", certificates);
            }

            var watched = (await RunAsync(pods[2], "watch", "rolled", "--json")).Exits(0);
            Assert.Equal(calm, watched.Hash);
            var steps = watched.Events.Where(e => e.GetProperty("event").GetString() == "step")
                .Select(e => e.GetProperty("step").GetInt64());
            Assert.Equal(Enumerable.Range(1, 1500).Select(i => (long)i), steps);
            // Without the authority's certificate nobody talks to the endpoint, without the token nobody is heard.
            (await DtrainProcess.RunAsync("list", "--cluster", AddressOf(pods[0]), "--token-file", folder.TokenFile)).Exits(3)
                .SaysOneFailure();
            (await DtrainProcess.RunAsync("list", "--cluster", AddressOf(pods[0]), "--ca", Path.Combine(certificates, "ca.crt"))).Exits(2)
                .SaysOneFailure();
        }
        finally
        {
            foreach (var pod in pods) pod.Dispose();
        }
    }

    private static string AddressOf(SiloProcess pod) => $"https://{Outer}:{new Uri(pod.Address).Port}";

    private Task<DtrainResult> RunAsync(SiloProcess pod, params string[] arguments) => DtrainProcess.RunAsync(
        [.. arguments, "--cluster", AddressOf(pod), "--token-file", folder.TokenFile, "--ca", Path.Combine(folder.Path, "tls", "ca.crt")]);

    private Task<SiloProcess> StartAsync(string pod, string certificates)
    {
        api.AddPod(pod);
        return SiloProcess.StartAsync(
            folder, pod,
            ("DTRAIN_CLUSTERING", "kubernetes"), ("POD_NAME", pod), ("POD_NAMESPACE", FakeKubernetesApi.Namespace), ("POD_IP", $"{Outer}"),
            ("DTRAIN_KUBE_CONFIG", api.WriteKubeConfig(folder.Path)),
            ("DTRAIN_ADDRESS", "0.0.0.0"), ("DTRAIN_ADVERTISE", $"{Outer}"),
            ("DTRAIN_TLS_CERT", Path.Combine(certificates, "endpoint.crt")), ("DTRAIN_TLS_KEY", Path.Combine(certificates, "endpoint.key")),
            ("DTRAIN_SILO_CERT", Path.Combine(certificates, "silo.crt")), ("DTRAIN_SILO_KEY", Path.Combine(certificates, "silo.key")),
            ("DTRAIN_SILO_CA", Path.Combine(certificates, "ca.crt")));
    }
}
