using System.Diagnostics;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>
/// The processes of a run with several silos: they join, share the ranks, and none outlives the run, whatever its outcome.
/// </summary>
[Collection(nameof(CalmRun))]
public sealed class SeveralSilosTests(CalmRun calm) : IDisposable
{
    /// <summary>Ends a hang: a silo notices the end of its client within five seconds where nothing else runs.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(20);

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private DtrainProcess Start(string job, int silos, int ranks, string exchange = "peer") => DtrainProcess.Start(
        ["train", directory.Write("job.yaml", job), "--silos", $"{silos}", "--ranks", $"{ranks}", "--json", "--out", directory.File("run"),
            "--set", $"exchange={exchange}"]);

    [Fact]
    public async Task Train_TwoSilos_ShareTheRanksInOrderAndNoneIsLeft()
    {
        await using var running = Start(Jobs.Mixed, 2, 3);
        await running.ReachStartAsync();
        var silos = ProcessTable.ChildrenOf(running.Id);
        Assert.Equal(2, silos.Count);
        var ended = await running.EndAsync();
        var places = ended.Events[0].GetProperty("ranks").EnumerateArray()
            .Select(r => (r.GetProperty("rank").GetInt32(), r.GetProperty("silo").GetString(), r.GetProperty("device").GetString()));
        Assert.Equal([(0, "silo-0", "cpu:0"), (1, "silo-1", "cpu:0"), (2, "silo-1", "cpu:1")], places);
        Assert.Equal(calm.Hash, ended.Exits(0).Hash);
        var steps = ended.Events.Where(e => e.GetProperty("event").GetString() == "step").ToList();
        Assert.Equal(Enumerable.Range(1, steps.Count), steps.Select(s => s.GetProperty("step").GetInt32()));
        Assert.Equal([0, 1, 2], steps[^1].GetProperty("ranks").EnumerateArray().Select(r => r.GetProperty("rank").GetInt32()));
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");
        foreach (var log in new[] { "silo-0.log", "silo-1.log" })
            Assert.True(File.Exists(directory.File("run", log)), $"{log} is missing.");
    }

    [Fact]
    public async Task Train_ThroughTheCoordinator_GivesTheBitsOfOneSilo()
    {
        await using var running = Start(Jobs.Mixed, 2, 3, "coordinator");
        Assert.Equal(calm.Hash, (await running.EndAsync()).Exits(0).Hash);
    }

    [Theory]
    [InlineData("peer")]
    [InlineData("coordinator")]
    public async Task KillSecondSilo_FailsNamingItAndNoneIsLeft(string exchange)
    {
        await using var running = Start(LongStart, 2, 2, exchange);
        await running.ReachStartAsync();
        var silos = ProcessTable.ChildrenOf(running.Id);
        using (var second = Process.GetProcessById(silos.Max())) second.Kill();
        var ended = (await running.EndAsync()).Exits(1).SaysOneFailure().Says("silo-1", "SIGKILL");
        var error = ended.Events[^1].GetProperty("error");
        Assert.Equal("silo-1", error.GetProperty("silo").GetString());
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");
    }

    [Fact]
    public async Task KillClient_AllSilosEndSoon()
    {
        await using var running = Start(LongStart, 2, 2);
        await running.ReachStartAsync();
        var silos = ProcessTable.ChildrenOf(running.Id);
        Assert.Equal(2, silos.Count);
        running.Kill();
        Assert.True(
            await ProcessTable.HaveEndedAsync(silos, Farewell),
            $"A silo still runs {Farewell.TotalSeconds} s after its client was killed.");
    }

    [Fact]
    public async Task Interrupt_WhileTheSilosJoin_Exits130AndNoneIsLeft()
    {
        await using var running = Start(LongStart, 3, 3);
        while (ProcessTable.ChildrenOf(running.Id).Count < 3)
        {
            Assert.NotEqual(0, await running.StartedSiloAsync());
            await Task.Delay(ProcessTable.PollInterval, TimeProvider.System);
        }
        var silos = ProcessTable.ChildrenOf(running.Id);
        running.Interrupt();
        (await running.EndAsync()).Exits(130);
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");
    }

    /// <summary>Reads its data for seconds, then trains for ever.</summary>
    private static string LongStart => Jobs.Endless.Replace("samples: 200", "samples: 30000", StringComparison.Ordinal);
}
