using Distributed.Core.Jobs;
using Distributed.Silo.Cluster.Postgres;
using Distributed.Silo.Settings;
using Distributed.Testing.Servers;
using Npgsql;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>Tables that the product makes itself.</summary>
public sealed class PostgresStoreTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [PostgresFact]
    public async Task Connect_ManyAtOnce_MakeTheTablesOnce_AndRefuseThoseOfAnotherVersion()
    {
        using var server = await PostgresServer.StartAsync();
        var store = new Secret(server.Store);
        var sources = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => PostgresStore.Connect(store, Patience)));
        await using (var command = sources[0].CreateCommand("SELECT count(*)::int FROM dtrain.schema_version"))
            Assert.Equal(1, await command.ExecuteScalarAsync());

        await using (var command = sources[0].CreateCommand("UPDATE dtrain.schema_version SET version = 99"))
            await command.ExecuteNonQueryAsync();
        foreach (var source in sources) await source.DisposeAsync();
        var error = await Assert.ThrowsAsync<JobException>(() => PostgresStore.Connect(store, Patience));
        Assert.Equal("store-schema", error.Code);
        Assert.Contains("version 99, this silo works with version 1", error.Message, StringComparison.Ordinal);
    }

    [PostgresFact]
    public async Task Connect_Refused_SaysWhyWithoutTheConnectionString()
    {
        using var server = await PostgresServer.StartAsync();
        var wrong = new NpgsqlConnectionStringBuilder(server.Store) { Password = "wrong-secret" }.ConnectionString;
        var error = await Assert.ThrowsAsync<JobException>(() => PostgresStore.Connect(new Secret(wrong), Patience));
        Assert.Equal("store-unreachable", error.Code);
        Assert.Contains("28P01", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-secret", error.Message, StringComparison.Ordinal);
        var absent = new NpgsqlConnectionStringBuilder(server.Store) { Database = "absent" }.ConnectionString;
        Assert.Contains(
            "absent", (await Assert.ThrowsAsync<JobException>(() => PostgresStore.Connect(new Secret(absent), Patience))).Message,
            StringComparison.Ordinal);
    }
}
