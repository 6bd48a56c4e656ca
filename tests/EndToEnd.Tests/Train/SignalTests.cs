using System.Diagnostics;
using System.Text.Json;
using Distributed.Core.Checkpoints;
using Distributed.EndToEnd.Tests.Cli;
using Distributed.Testing;

namespace Distributed.EndToEnd.Tests.Train;

/// <summary>Ctrl-C, and kill -9 of either process, at any moment of a run.</summary>
public sealed class SignalTests : IDisposable
{
    /// <summary>Ends a hang: a silo notices the end of its client within five seconds where nothing else runs.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(20);

    private readonly TemporaryDirectory directory = new();

    public SignalTests() => JobFile = directory.Write("job.yaml", Jobs.Endless);

    private string JobFile { get; }

    public void Dispose() => directory.Dispose();

    private string[] Train(string place, int ranks, params string[] more) =>
        ["train", JobFile, "--ranks", $"{ranks}", "--json", "--out", directory.File(place), .. more];

    private async Task<string> StraightHashAsync(long step)
    {
        var run = (await DtrainProcess.RunAsync(Train("straight", 1, "--stop-at", $"{step}"))).Exits(0);
        Assert.Equal(step, run.Events[^1].GetProperty("step").GetInt64());
        return run.Hash;
    }

    [Fact]
    public async Task Interrupt_ChecksPointsExits130AndResumesToTheSameBits()
    {
        await using var running = DtrainProcess.Start(Train("run", 2));
        await running.ReachStepAsync(5);
        var silo = ProcessTable.ChildrenOf(running.Id);
        Assert.NotEmpty(silo);
        running.Interrupt();
        var interrupted = (await running.EndAsync()).Exits(130).Says("Interrupted; the last checkpoint is", "--resume");
        Assert.True(await ProcessTable.HaveEndedAsync(silo, TimeSpan.Zero), "The silo outlives its client.");
        var stopped = interrupted.Events[^1];
        Assert.Equal("stopped", stopped.GetProperty("event").GetString());
        var step = stopped.GetProperty("step").GetInt64();
        (await DtrainProcess.RunAsync("checkpoint", "verify", directory.File("run", "checkpoints"))).Exits(0);

        var resumed = (await DtrainProcess.RunAsync(Train("run", 3, "--resume", "--stop-at", $"{step + 5}"))).Exits(0);
        Assert.Equal(step + 1, resumed.Events.First(IsStep).GetProperty("step").GetInt64());
        Assert.Equal(await StraightHashAsync(step + 5), resumed.Hash);
        var log = await File.ReadAllTextAsync(directory.File("run", "events.jsonl"));
        Assert.Equal(interrupted.Output + resumed.Output, log);
    }

    [Fact]
    public async Task Signal_AgainAndAgainToTheLastMoment_Exits130WithOneLine()
    {
        foreach (var (place, signal) in new[] { ("first", ProcessTable.SigTerm), ("second", ProcessTable.SigHup) })
        {
            await using var running = DtrainProcess.Start(Train(place, 2));
            await running.ReachStepAsync(1);
            var ended = (await running.SignalToTheEndAsync(signal)).Exits(130);
            // A terminal that closes says so more than once; the checkpoint is written all the same.
            if (signal == ProcessTable.SigHup) ended.Says("Interrupted; the last checkpoint is");
            Assert.Single(ended.Error.Split('\n'), line => line.StartsWith("Interrupted; ", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Reader_Gone_EndsTheRunAsAfterAnInterrupt()
    {
        await using var running = DtrainProcess.Start(Train("run", 2));
        await running.ReachStepAsync(2);
        var silo = ProcessTable.ChildrenOf(running.Id);
        (await running.LeaveAsync()).Exits(130).Says("Nobody reads the output any more.", "Interrupted; the last checkpoint is");
        Assert.True(await ProcessTable.HaveEndedAsync(silo, TimeSpan.Zero), "The silo outlives its client.");
        Assert.NotNull(new CheckpointStore(directory.File("run", "checkpoints")).FindLatest(Assert.Fail));
    }

    [Fact]
    public async Task KillClient_SiloEndsSoonAndTheRunResumes()
    {
        await using var running = DtrainProcess.Start(Train("run", 2, "--set", "checkpoint.everySteps=1"));
        await running.ReachStepAsync(5);
        var silo = ProcessTable.ChildrenOf(running.Id);
        Assert.NotEmpty(silo);
        HoldsNoToken([running.Id, .. silo]);
        running.Kill();
        Assert.True(
            await ProcessTable.HaveEndedAsync(silo, Farewell),
            $"The silo {silo[0]} still runs {Farewell.TotalSeconds} s after its client was killed.");
        await ResumesFromWhatIsWholeAsync();
    }

    [Fact]
    public async Task KillSilo_ClientExits1WithOneMessageAndTheRunResumes()
    {
        await using var running = DtrainProcess.Start(Train("run", 2, "--set", "checkpoint.everySteps=1"));
        await running.ReachStepAsync(5);
        var silo = Assert.Single(ProcessTable.ChildrenOf(running.Id));
        using (var process = Process.GetProcessById(silo)) process.Kill();
        var ended = (await running.EndAsync()).Exits(1).SaysOneFailure().Says("[silo-lost]", "SIGKILL", "--resume");
        var error = ended.Events[^1].GetProperty("error");
        Assert.Equal("silo-lost", error.GetProperty("code").GetString());
        Assert.True(error.GetProperty("step").GetInt64() >= 5);
        await ResumesFromWhatIsWholeAsync();
    }

    [Fact]
    public async Task Interrupt_BeforeTheSiloIsReady_Exits130AndLeavesNoProcess()
    {
        await using var running = DtrainProcess.Start(Train("run", 2));
        var silo = await running.StartedSiloAsync();
        running.Interrupt();
        (await running.EndAsync()).Exits(130);
        Assert.True(await ProcessTable.HaveEndedAsync([silo], TimeSpan.Zero), "The silo outlives its client.");
    }

    [Fact]
    public async Task KillClient_BeforeTheSiloIsReady_LeavesNoProcess()
    {
        await using var running = DtrainProcess.Start(Train("run", 2));
        var silo = await running.StartedSiloAsync();
        running.Kill();
        Assert.True(
            await ProcessTable.HaveEndedAsync([silo], Farewell),
            $"The silo {silo} still runs {Farewell.TotalSeconds} s after its client was killed.");
    }

    [Fact]
    public async Task KillClient_OfABench_LeavesNoProcess()
    {
        await using var running = DtrainProcess.Start(["bench", "matmul", "--json"]);
        var silo = await running.StartedSiloAsync();
        running.Kill();
        Assert.True(
            await ProcessTable.HaveEndedAsync([silo], Farewell),
            $"The silo {silo} still runs {Farewell.TotalSeconds} s after its client was killed.");
    }

    [Fact]
    public async Task KillClient_OfABenchWithSilosOfItsOwn_LeavesNoProcess()
    {
        await using var running = DtrainProcess.Start(["bench", "allreduce", "--quick", "--only", "2 silos", "--rounds", "100", "--json"]);
        var bench = await running.StartedSiloAsync();
        var silos = await ProcessTable.ReachChildrenAsync(bench, 2, Farewell);
        running.Kill();
        Assert.True(
            await ProcessTable.HaveEndedAsync([bench, .. silos], Farewell + Farewell),
            "A process of the bench still runs after its client was killed.");
    }

    private async Task ResumesFromWhatIsWholeAsync()
    {
        // A kill in the middle of writing leaves a temporary directory, never a checkpoint that is not whole.
        var newest = new CheckpointStore(directory.File("run", "checkpoints")).FindLatest(Assert.Fail);
        var target = newest!.Step + 2;
        var resumed = (await DtrainProcess.RunAsync(Train("run", 1, "--resume", "--stop-at", $"{target}"))).Exits(0);
        Assert.Equal(newest.Step + 1, resumed.Events.First(IsStep).GetProperty("step").GetInt64());
        Assert.Equal(await StraightHashAsync(target), resumed.Hash);
        // No event of the killed run is half a line.
        foreach (var line in await File.ReadAllLinesAsync(directory.File("run", "events.jsonl"))) JsonDocument.Parse(line).Dispose();
    }

    private static bool IsStep(JsonElement e) => e.GetProperty("event").GetString() == "step";

    /// <summary>Arguments and environment can be read by others on the machine; a pipe cannot.</summary>
    private static void HoldsNoToken(IEnumerable<int> processes)
    {
        var own = File.ReadAllText("/proc/self/environ").Split('\0').ToHashSet();
        foreach (var id in processes)
        {
            Assert.DoesNotMatch("[0-9A-Fa-f]{64}", File.ReadAllText($"/proc/{id}/cmdline"));
            foreach (var variable in File.ReadAllText($"/proc/{id}/environ").Split('\0').Where(variable => !own.Contains(variable)))
                Assert.DoesNotMatch("[0-9A-Fa-f]{64}", variable);
        }
    }
}
