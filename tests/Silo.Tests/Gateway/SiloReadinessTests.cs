using System.Net;
using Distributed.Silo.Lifecycle;

namespace Distributed.Silo.Tests.Gateway;

public sealed class SiloReadinessTests
{
    [Fact]
    public async Task BeginDrain_FromThenOn_TheSiloIsNotReadyButLives()
    {
        OneSilo silo = new();
        await silo.InitializeAsync();
        try
        {
            silo.Service<Grains.Placement.SiloDrain>().Begin();
            using HttpClient http =
                new() { DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
            using var ready = await http.GetAsync($"{silo.Address}/healthz/ready");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.Equal("draining: silo silo-0 is leaving and takes no more ranks\n", await ready.Content.ReadAsStringAsync());
            using var live = await http.GetAsync($"{silo.Address}/healthz/live");
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
            using var client = silo.Client(null);
            var health = new Grpc.Health.V1.Health.HealthClient(client.Invoker);
            Assert.Equal(Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.NotServing, (await health.CheckAsync(new())).Status);
            Assert.Equal(
                Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus.Serving,
                (await health.CheckAsync(new() { Service = "live" })).Status);
        }
        finally
        {
            await silo.DisposeAsync();
        }
    }
}
