using System.Globalization;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>A run with three silos loses one of them, or finds one frozen: it fails and names it, and can be resumed.</summary>
public sealed class LostSiloTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Theory]
    [InlineData(ProcessTable.SigKill)]
    [InlineData(ProcessTable.SigStop)]
    public async Task LoseASiloInMidTraining_FailsNamingItAndResumesWithTheSameBits(int signal)
    {
        var job = directory.Write("job.yaml", Exchanging);
        await using var running = DtrainProcess.Start(
            ["train", job, "--silos", "3", "--ranks", "3", "--json", "--out", directory.File("run")]);
        await running.ReachStepAsync(25);
        var silos = ProcessTable.ChildrenOf(running.Id);
        // The first started is silo-0; the other two join at once, in any order.
        ProcessTable.Signal(silos.Max(), signal);
        var ended = (await running.EndAsync()).Exits(1).SaysOneFailure();
        var error = ended.Events[^1].GetProperty("error");
        Assert.InRange(error.GetProperty("rank").GetInt32(), 1, 2);
        Assert.Equal($"silo-{error.GetProperty("rank").GetInt32()}", error.GetProperty("silo").GetString());
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");
        // What it leaves behind does not depend on how the silo was lost.
        if (signal != ProcessTable.SigKill) return;
        Assert.Equal("silo-lost", error.GetProperty("code").GetString());

        // How far it came while the signal was on its way is the machine's affair.
        var reached = Directory.GetDirectories(directory.File("run", "checkpoints"), "step-*")
            .Max(d => int.Parse(Path.GetFileName(d)["step-".Length..], CultureInfo.InvariantCulture));
        string[] shorter = ["--set", $"steps={reached + 10}", "--json"];
        var resumed = await DtrainProcess.RunAsync(
            ["train", job, "--silos", "2", "--ranks", "2", "--resume", "--out", directory.File("run"), .. shorter]);
        var straight = await DtrainProcess.RunAsync(["train", job, "--ranks", "1", "--out", directory.File("straight"), .. shorter]);
        Assert.Equal(straight.Exits(0).Hash, resumed.Exits(0).Hash);
    }

    /// <summary>The memory that silos share, and the names of the sockets at which they meet, end with them.</summary>
    [Fact]
    public async Task KillAllSilos_NothingOfTheirExchangeIsLeft()
    {
        await using var running = DtrainProcess.Start(
            ["train", directory.Write("job.yaml", Exchanging), "--silos", "2", "--ranks", "2", "--json", "--out", directory.File("run")]);
        await running.ReachStepAsync(5);
        var silos = ProcessTable.ChildrenOf(running.Id);
        Assert.All(
            silos, silo => Assert.Contains("/memfd:dtrain-exchange", File.ReadAllText($"/proc/{silo}/maps"), StringComparison.Ordinal));
        var names = silos.SelectMany(ExchangeNames).ToHashSet();
        Assert.Equal(2, names.Count);
        foreach (var silo in silos) ProcessTable.Signal(silo, ProcessTable.SigKill);
        (await running.EndAsync()).Exits(1);
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.FromMinutes(20)), "A silo outlives its client.");
        Assert.Empty(names.Intersect(UnixSockets().Select(socket => socket.Name)));
        Assert.DoesNotContain(Directory.EnumerateFiles("/dev/shm"), file => file.Contains("dtrain-exchange", StringComparison.Ordinal));
    }

    [Fact]
    public async Task FreezeFirstSilo_FailsSoonAfterTheStepsDeadlineNamingIt()
    {
        await using var running = DtrainProcess.Start(
            ["train", directory.Write("job.yaml", Exchanging), "--silos", "2", "--ranks", "2", "--json", "--out", directory.File("run")]);
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
            ["train", directory.Write("job.yaml", Exchanging), "--silos", "3", "--ranks", "3", "--json", "--out", directory.File("run")],
            silo: silo);
        var first = await running.StartedSiloAsync();
        var silos = await ProcessTable.ReachChildrenAsync(running.Id, 3, TimeSpan.FromMinutes(20));
        var (held, frozen) = (silos.Where(s => s != first).Min(), silos.Max());
        // The one is held up until the other is surely ready: until both are, the client does not submit.
        ProcessTable.Signal(held, ProcessTable.SigStop);
        await ProcessTable.ReachAsync(() => File.Exists(Ready(frozen)) && new FileInfo(Ready(frozen)).Length > 0, TimeSpan.FromMinutes(20));
        ProcessTable.Signal(frozen, ProcessTable.SigStop);
        ProcessTable.Signal(held, ProcessTable.SigCont);
        var ended = (await running.EndAsync()).Exits(1).SaysOneFailure().Says("did not begin within 30 s", "froze");
        var error = Assert.Single(ended.Events).GetProperty("error");
        Assert.Matches("^silo-[12]$", error.GetProperty("silo").GetString());
        Assert.Equal("deadline", error.GetProperty("code").GetString());
        Assert.True(await ProcessTable.HaveEndedAsync(silos, TimeSpan.Zero), "A silo outlives its client.");

        string Ready(int id) => directory.File($"{id}.ready");
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

    /// <summary>Names of the Unix sockets at which a silo's exchange listens.</summary>
    private static IEnumerable<string> ExchangeNames(int process)
    {
        var mine = Directory.EnumerateFiles($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget).ToHashSet();
        return UnixSockets().Where(socket => mine.Contains($"socket:[{socket.Inode}]")
            && socket.Name.StartsWith("@dtrain-", StringComparison.Ordinal)).Select(socket => socket.Name);
    }

    private static IEnumerable<(string Inode, string Name)> UnixSockets() =>
        File.ReadLines("/proc/net/unix").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(parts => parts.Length == 8).Select(parts => (parts[6], parts[7]));
}
