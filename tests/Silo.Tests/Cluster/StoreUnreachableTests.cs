using System.Net;
using Distributed.Core.Jobs;
using Distributed.Silo.Cluster;
using Distributed.Silo.Settings;
using Distributed.Testing.Servers;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>Stores and silos that are not there: one error, and no secret in it.</summary>
public sealed class StoreUnreachableTests
{
    /// <summary>Ends a hang; the wait itself is eight seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private static ClusterSettings Settings(Clustering clustering, string? store) => new()
    {
        SiloName = "silo-0",
        Slots = 1,
        ClusterId = "dtrain",
        Clustering = clustering,
        Storage = StateStorage.Memory,
        Store = store is null ? null : new Secret(store),
    };

    private static async Task<JobException> Refused(ClusterSettings settings)
    {
        var error = await Assert.ThrowsAsync<JobException>(
            async () => await (await ClusterConnections.Open(settings, "/nowhere").WaitAsync(Patience)).DisposeAsync());
        Assert.DoesNotContain("very-secret", error.Message, StringComparison.Ordinal);
        return error;
    }

    [Theory]
    [InlineData("Redis", "127.0.0.1:PORT,password=very-secret")]
    [InlineData("Postgres", "Host=127.0.0.1;Port=PORT;Username=u;Password=very-secret;Database=d")]
    // Nothing answers there at all.
    [InlineData("Redis", "192.0.2.1:6379,password=very-secret")]
    [InlineData("Postgres", "Host=192.0.2.1;Username=u;Password=very-secret;Database=d")]
    public async Task Open_NothingAnswers_IsUnreachable(string clustering, string store)
    {
        var error = await Refused(
            Settings(Enum.Parse<Clustering>(clustering), store.Replace("PORT", $"{FreePort.Take()}", StringComparison.Ordinal)));
        Assert.Equal("store-unreachable", error.Code);
        Assert.Contains("DTRAIN_STORE", error.Message, StringComparison.Ordinal);
    }

    [RedisFact]
    public async Task Open_WrongPassword_IsUnreachable()
    {
        using var server = await RedisServer.StartAsync();
        Assert.Equal(
            "store-unreachable", (await Refused(Settings(Clustering.Redis, $"127.0.0.1:{server.Port},password=very-secret"))).Code);
    }

    [Theory]
    [InlineData("Redis", "redis://:very-secret@host:6379")]
    [InlineData("Redis", "host:6379,very-secret=1")]
    [InlineData("Redis", "password=very-secret")]
    [InlineData("Postgres", "postgres://u:very-secret@host/d")]
    [InlineData("Postgres", "very-secret")]
    [InlineData("Postgres", "Password=very-secret")]
    public async Task Open_NoConnectionString_IsInvalid(string clustering, string store)
    {
        var error = await Refused(Settings(Enum.Parse<Clustering>(clustering), store));
        Assert.Equal("settings-invalid", error.Code);
        Assert.Contains("expected the form", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NoPrimary_NamesIt()
    {
        var primary = new IPEndPoint(IPAddress.Loopback, FreePort.Take());
        var error = await Refused(Settings(Clustering.Localhost, null) with { Primary = primary });
        Assert.Equal("cluster-unreachable", error.Code);
        Assert.Contains(primary.ToString(), error.Message, StringComparison.Ordinal);
    }
}
