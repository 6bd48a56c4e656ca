using System.Text.Json;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing.Servers;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>Silo processes that find each other by configuration.</summary>
public sealed class JoinTests : IDisposable
{
    private const string Short = """
        name: short
        model: { name: mlp, sizes: [3072, 16, 10] }
        data: { name: shapes, samples: 200 }
        globalBatch: 32
        microBatch: 4
        steps: 3
        seed: 3
        optimizer: { name: sgd, lr: 0.01 }
        """;

    private readonly ClusterFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static string StateOf(DtrainResult status) => JsonDocument.Parse(status.Output).RootElement.GetProperty("state").GetString()!;

    [StoreFact("postgres")]
    public async Task Silos_StartedAtOnce_AreOneCluster()
    {
        using var server = await PostgresServer.StartAsync();
        var connection = folder.Write("store", server.Store);
        var silos = await Task.WhenAll(Enumerable.Range(0, 2).Select(
            i => SiloProcess.StartAsync(folder, $"silo-{i}", ("DTRAIN_CLUSTERING", "postgres"), ("DTRAIN_STORE_FILE", connection))));
        try
        {
            var job = folder.Write("job.yaml", Short);
            (await silos[0].RunAsync(folder, "submit", job, "--id", "shared")).Exits(0);
            (await silos[1].RunAsync(folder, "submit", job, "--id", "shared", "--wait")).Exits(0).Says("was there already");
            Assert.Matches("shared.*completed", (await silos[1].RunAsync(folder, "list")).Exits(0).Output);
        }
        finally
        {
            foreach (var silo in silos) silo.Dispose();
        }
    }

    [Fact]
    public async Task TwoSilosOnThisMachine_ShareJobs_WhichSurviveThemInFiles()
    {
        using (var first = await SiloProcess.StartAsync(folder, "silo-0"))
        using (var second = await SiloProcess.StartAsync(folder, "silo-1", ("DTRAIN_PRIMARY", first.Endpoint)))
        {
            (await second.RunAsync(folder, "submit", folder.Write("job.yaml", Short), "--id", "kept", "--wait")).Exits(0);
            Assert.Equal("completed", StateOf((await first.RunAsync(folder, "status", "kept", "--json")).Exits(0)));
            // Forgotten, DTRAIN_PRIMARY would make this a second cluster over the same jobs.
            var (refused, told) = await SiloProcess.FailAsync(folder, "silo-2");
            Assert.Equal(1, refused);
            Assert.Contains(
                $"To join it, set DTRAIN_PRIMARY={first.Endpoint}", Assert.Single(told.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
                StringComparison.Ordinal);
            second.Kill();
            first.Kill();
        }

        using var again = await SiloProcess.StartAsync(folder, "silo-0");
        Assert.Equal("completed", StateOf((await again.RunAsync(folder, "status", "kept", "--json")).Exits(0)));
        var (code, error) = await SiloProcess.FailAsync(folder, "silo-0", ("DTRAIN_PRIMARY", again.Endpoint));
        Assert.Equal(1, code);
        Assert.Contains("the cluster already has a silo 'silo-0' at", error, StringComparison.Ordinal);
    }

    [RedisFact]
    public async Task SiloOfAnEmptiedStore_EndsAndSaysSo_AndItsJobsAreFoundInTheirFolders()
    {
        using var server = await RedisServer.StartAsync();
        (string, string)[] settings = [("DTRAIN_CLUSTERING", "redis"), ("DTRAIN_STORE", server.Store)];
        using (var silo = await SiloProcess.StartAsync(folder, "silo-0", settings))
        {
            (await silo.RunAsync(folder, "submit", folder.Write("job.yaml", Short), "--id", "kept", "--wait")).Exits(0);
            await server.EmptyAsync();
            await silo.HasEndedAsync();
            Assert.Contains(
                "silo silo-0 is no longer in the table of members: the store has lost its rows", silo.Said, StringComparison.Ordinal);
        }

        using var again = await SiloProcess.StartAsync(folder, "silo-0", settings);
        Assert.Equal("completed", StateOf((await again.RunAsync(folder, "status", "kept", "--json")).Exits(0)));
    }

    [RedisFact]
    public async Task Silo_ToldToLeaveWhileItsStoreIsGone_EndsSoon()
    {
        SiloProcess started;
        using (var server = await RedisServer.StartAsync())
            started = await SiloProcess.StartAsync(folder, "silo-0", ("DTRAIN_CLUSTERING", "redis"), ("DTRAIN_STORE", server.Store));
        using var silo = started;
        // Orleans alone would take two minutes; the helper waits for one.
        await silo.LeaveAsync();
    }

    [Fact]
    public async Task Silo_WithoutItsStore_EndsWithOneError()
    {
        var (code, error) = await SiloProcess.FailAsync(
            folder, "silo-0", ("DTRAIN_CLUSTERING", "redis"), ("DTRAIN_STORE", "127.0.0.1:1,password=very-secret"));
        Assert.Equal(1, code);
        Assert.StartsWith(
            "dtrain-silo: The Redis that DTRAIN_STORE", Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);
        Assert.DoesNotContain("very-secret", error, StringComparison.Ordinal);
    }
}
