using Distributed.EndToEnd.Tests.Cli;

namespace Distributed.EndToEnd.Tests.Cluster;

/// <summary>A job whose sizes fit, and that takes more all the same.</summary>
public sealed class MemoryTests
{
    private const string Hungry = """
        name: hungry
        model: { name: simple-cnn }
        data: { name: shapes, samples: 2000 }
        globalBatch: 2000
        microBatch: 2000
        steps: 2
        workers: { max: 1 }
        """;

    [Fact]
    public async Task JobTakesMoreThanTheSiloMayUse_FailsAndTheSiloGoesOn()
    {
        using ClusterFolder folder = new();
        using var silo = await SiloProcess.StartAsync(folder, "silo-0", ("DTRAIN_MEMORY", "800MiB"));
        var job = folder.Write("job.yaml", Hungry);
        // Its sizes make half a gigabyte; libtorch takes more than twice that.
        for (var i = 0; i < 2; i++)
            (await silo.RunAsync(folder, "submit", job, "--id", $"hungry-{i}", "--wait")).Exits(1)
                .Says($"job hungry-{i} failed [memory]:", "Use a smaller microBatch");
        (await silo.RunAsync(folder, "submit", job, "--id", "honest", "--wait", "--set", "globalBatch=64", "--set", "microBatch=32"))
            .Exits(0);
        await silo.LeaveAsync();
    }
}
