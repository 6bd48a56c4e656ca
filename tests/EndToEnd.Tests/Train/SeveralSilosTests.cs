using System.Diagnostics;
using System.Globalization;
using Distributed.EndToEnd.Tests.Cli;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>The processes of a run with several silos: they join, share the ranks, and none outlives the run, whatever its outcome.</summary>
public sealed class SeveralSilosTests : IDisposable
{
    /// <summary>Ends a hang: a silo notices the end of its client within five seconds where nothing else runs.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(1);

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private DtrainProcess Start(string job, int silos, int ranks, string exchange = "peer", string run = "run") => DtrainProcess.Start(
        ["train", directory.Write("job.yaml", job), "--silos", $"{silos}", "--ranks", $"{ranks}", "--json", "--out", directory.File(run), "--set", $"exchange={exchange}"]);

    [Fact]
    public async Task Train_TwoSilos_ShareTheRanksInOrderAndNoneIsLeft()
    {
        await using var running = Start(Jobs.Mixed, 2, 3);
        await running.ReachStartAsync();
        var silos = ProcessTable.ChildrenOf(running.Id);
        Assert.Equal(2, silos.Count);
        var ended = await running.EndAsync();
        var places = ended.Events[0].GetProperty("ranks").EnumerateArray().Select(r => (r.GetProperty("rank").GetInt32(), r.GetProperty("silo").GetString(), r.GetProperty("device").GetString()));
        Assert.Equal([(0, "silo-0", "cpu:0"), (1, "silo-1", "cpu:0"), (2, "silo-1", "cpu:1")], places);
        var alone = await DtrainProcess.RunAsync("train", directory.Write("alone.yaml", Jobs.Mixed), "--ranks", "1", "--json", "--out", directory.File("alone"));
        Assert.Equal(alone.Exits(0).Hash, ended.Exits(0).Hash);
        var steps = ended.Events.Where(e => e.GetProperty("event").GetString() == "step").ToList();
        Assert.Equal(Enumerable.Range(1, steps.Count), steps.Select(s => s.GetProperty("step").GetInt32()));
        Assert.Equal([0, 1, 2], steps[^1].GetProperty("ranks").EnumerateArray().Select(r => r.GetProperty("rank").GetInt32()));
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");
        foreach (var log in new[] { "silo-0.log", "silo-1.log" }) Assert.True(File.Exists(directory.File("run", log)), $"{log} is missing.");
    }

    [Fact]
    public async Task Train_EitherExchange_GivesTheBitsOfOneSilo()
    {
        var hashes = new List<string>();
        foreach (var (silos, ranks, exchange) in new[] { (1, 1, "peer"), (2, 2, "peer"), (2, 3, "coordinator") })
        {
            await using var running = Start(Jobs.Mixed, silos, ranks, exchange, $"run-{silos}-{exchange}");
            hashes.Add((await running.EndAsync()).Exits(0).Hash);
        }
        Assert.Single(hashes.Distinct());
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

    [Theory]
    [InlineData(ProcessTable.SigKill)]
    [InlineData(ProcessTable.SigStop)]
    public async Task LoseASiloInMidTraining_FailsNamingItAndResumesWithTheSameBits(int signal)
    {
        var job = directory.Write("job.yaml", Exchanging);
        await using var running = DtrainProcess.Start(["train", job, "--silos", "3", "--ranks", "3", "--json", "--out", directory.File("run")]);
        await running.ReachStepAsync(25);
        var silos = ProcessTable.ChildrenOf(running.Id);
        // The first started is silo-0; the other two join at once, in any order.
        ProcessTable.Signal(silos.Max(), signal);
        var ended = (await running.EndAsync()).Exits(1).SaysOneFailure();
        var error = ended.Events[^1].GetProperty("error");
        Assert.InRange(error.GetProperty("rank").GetInt32(), 1, 2);
        Assert.Equal($"silo-{error.GetProperty("rank").GetInt32()}", error.GetProperty("silo").GetString());
        if (signal == ProcessTable.SigKill) Assert.Equal("silo-lost", error.GetProperty("code").GetString());
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");

        // How far it came while the signal was on its way is the machine's affair.
        var reached = Directory.GetDirectories(directory.File("run", "checkpoints"), "step-*").Max(d => int.Parse(Path.GetFileName(d)["step-".Length..], CultureInfo.InvariantCulture));
        string[] shorter = ["--set", $"steps={reached + 10}", "--json"];
        var resumed = await DtrainProcess.RunAsync(["train", job, "--silos", "2", "--ranks", "2", "--resume", "--out", directory.File("run"), .. shorter]);
        var straight = await DtrainProcess.RunAsync(["train", job, "--ranks", "1", "--out", directory.File("straight"), .. shorter]);
        Assert.Equal(straight.Exits(0).Hash, resumed.Exits(0).Hash);
    }

    [Fact]
    public async Task FreezeFirstSilo_FailsSoonAfterTheStepsDeadlineNamingIt()
    {
        await using var running = DtrainProcess.Start(["train", directory.Write("job.yaml", Exchanging), "--silos", "3", "--ranks", "3", "--json", "--out", directory.File("run")]);
        await running.ReachStepAsync(25);
        var silos = ProcessTable.ChildrenOf(running.Id);
        ProcessTable.Signal(silos.Min(), ProcessTable.SigStop);
        await running.ReachFailureAsync();
        (await running.EndAsync()).Exits(1).SaysOneFailure().Says("[silo-lost]", "silo-0", "froze");
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");
    }

    /// <summary>A silo that is ready, then given up before the job has its ranks: the job can have no place any more.</summary>
    [Fact]
    public async Task FreezeAReadySilo_BeforeTheJobBegins_FailsNamingIt()
    {
        // The built silo, which leaves what it says to its client in a file as well.
        var silo = directory.Write("silo", $"""
            #!/bin/bash
            exec "{BuiltProgram.Silo}" "$@" > >(tee "{directory.Path}/$$.ready")
            """);
        File.SetUnixFileMode(silo, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await using var running = DtrainProcess.Start(
            ["train", directory.Write("job.yaml", Exchanging), "--silos", "3", "--ranks", "3", "--json", "--out", directory.File("run")], silo: silo);
        var first = await running.StartedSiloAsync();
        var silos = await ProcessTable.ReachChildrenAsync(running.Id, 3, TimeSpan.FromMinutes(1));
        var (held, frozen) = (silos.Where(s => s != first).Min(), silos.Max());
        // The one is held up until the other is surely ready: until both are, the client does not submit.
        ProcessTable.Signal(held, ProcessTable.SigStop);
        await ProcessTable.ReachAsync(() => File.Exists(Ready(frozen)) && new FileInfo(Ready(frozen)).Length > 0, TimeSpan.FromMinutes(1));
        ProcessTable.Signal(frozen, ProcessTable.SigStop);
        ProcessTable.Signal(held, ProcessTable.SigCont);
        var ended = (await running.EndAsync()).Exits(1).SaysOneFailure().Says("did not begin within 30 s", "froze");
        var error = Assert.Single(ended.Events).GetProperty("error");
        Assert.Matches("^silo-[12]$", error.GetProperty("silo").GetString());
        Assert.Equal("deadline", error.GetProperty("code").GetString());
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");

        string Ready(int id) => directory.File($"{id}.ready");
    }

    [Fact]
    public async Task KillClient_AllSilosEndSoon()
    {
        await using var running = Start(LongStart, 3, 3);
        await running.ReachStartAsync();
        var silos = ProcessTable.ChildrenOf(running.Id);
        Assert.Equal(3, silos.Count);
        running.Kill();
        Assert.True(await ProcessTable.HaveEndedAsync(silos, Farewell), $"A silo still runs {Farewell.TotalSeconds} s after its client was killed.");
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

    /// <summary>A gradient of several buckets, and checkpoints on the way.</summary>
    private static string Exchanging => """
        name: exchanging
        model: { name: mlp, sizes: [3072, 128, 10] }
        data: { name: shapes, samples: 200 }
        globalBatch: 12
        microBatch: 2
        steps: 1000000
        seed: 5
        checkpoint: { everySteps: 10 }
        workers: { stepDeadline: 3 }
        """;

    /// <summary>Reads its data for seconds, then trains for ever.</summary>
    private static string LongStart => Jobs.Endless.Replace("samples: 200", "samples: 30000", StringComparison.Ordinal);
}
