using System.Diagnostics;
using System.Globalization;
using Distributed.Client.Following;
using Distributed.Client.LocalCluster;
using Distributed.Client.Outcomes;
using Distributed.Client.Runs;
using Distributed.Testing;

namespace Distributed.Client.Tests.LocalCluster;

/// <summary>Silos that are scripts: what is started, found again, ended, and left alone.</summary>
public sealed class ClusterProcessesTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly StringWriter error = new();
    private readonly List<Process> processes = [];

    private ClusterFolder Folder => new(directory.File("cluster"));

    public void Dispose()
    {
        foreach (var process in processes)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
        }

        error.Dispose();
        directory.Dispose();
    }

    private Process Run(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        processes.Add(process);
        return process;
    }

    /// <summary>A process as if it were a silo of the folder, started then or at another time.</summary>
    private Process Mark(int number, long later = 0) => Mark(number, Run("sleep", "300"), later);

    /// <summary>One that has said that it is ready.</summary>
    private Process Ready(int number)
    {
        var process = Mark(number);
        File.WriteAllText(
            Folder.Silo(number).Ready, $$"""{"ready":true,"address":"http://127.0.0.1:{{number + 1}}","pid":{{process.Id}}}""" + "\n");
        return process;
    }

    private Process Mark(int number, Process process, long later = 0)
    {
        var stat = File.ReadAllText(FormattableString.Invariant($"/proc/{process.Id}/stat")).TrimEnd().Split(' ');
        stat[21] = (long.Parse(stat[21], CultureInfo.InvariantCulture) + later).ToString(CultureInfo.InvariantCulture);
        File.WriteAllText(Folder.Silo(number).Mark, File.ReadAllText("/proc/sys/kernel/random/boot_id") + string.Join(' ', stat) + "\n");
        return process;
    }

    private Task<IReadOnlyList<SiloEnding>> Down() => new ClusterDown(Folder, error, TimeProvider.System).RunAsync();

    [Fact]
    public async Task Down_EndsItsOwn_AndNoProcessThatGotTheirNumber()
    {
        Folder.Open();
        directory.Write("cluster/lock", "");
        var (own, other) = (Mark(0), Mark(1, later: 7));
        File.WriteAllText(Folder.Silo(2).Mark, "");
        Assert.Equal([new("silo-0", SiloEnd.Left), new("silo-1", SiloEnd.GoneBefore), new("silo-2", SiloEnd.GoneBefore)], await Down());
        await own.WaitForExitAsync();
        Assert.Equal(128 + 15, own.ExitCode);
        Assert.False(other.HasExited);
        // Once more: nothing is left to end, and that is no error.
        Assert.Empty(await Down());
        Assert.True(Directory.Exists(Folder.Root));
    }

    [Fact]
    public async Task Down_FrozenSilo_GoesOnAndLeaves()
    {
        Folder.Open();
        directory.Write("cluster/lock", "");
        var frozen = Mark(0);
        using (var stop = Process.Start("kill", ["-STOP", frozen.Id.ToString(CultureInfo.InvariantCulture)])) await stop.WaitForExitAsync();
        Assert.Equal([new("silo-0", SiloEnd.Left)], await Down());
    }

    [Fact]
    public async Task Down_AnotherCommandIsAtWork_WaitsForIt()
    {
        Folder.Open();
        Task<IReadOnlyList<SiloEnding>> down;
        using (await FolderLock.TakeAsync(Folder, error, TimeProvider.System, CancellationToken.None))
        {
            down = Down();
            Assert.Contains("is running in", error.ToString(), StringComparison.Ordinal);
            Assert.False(down.IsCompleted);
        }

        Assert.Empty(await down);
    }

    [Fact]
    public async Task Down_InterruptedWhileItWaitsForAnotherCommand_ToldNoSilo()
    {
        Folder.Open();
        using var interruption = Interruption.Deaf(TimeProvider.System);
        using var held = await FolderLock.TakeAsync(Folder, error, TimeProvider.System, CancellationToken.None);
        var down = new ClusterDown(Folder, error, TimeProvider.System).RunAsync(interruption);
        interruption.OnSignal();
        var refused = await Assert.ThrowsAsync<CommandFailure>(() => down);
        Assert.Equal(
            (ExitCode.Interrupted, "Interrupted before any silo was told to leave. 'dtrain cluster down' ends them."),
            (refused.ExitCode, refused.Message));
    }

    [Fact]
    public async Task Down_InterruptedWhileASiloLeaves_SaysThatItWasTold()
    {
        Folder.Open();
        directory.Write("cluster/lock", "");
        // Told to end, it does not; the one beside it, which is asked at the same time, shows that it was told.
        var (deaf, other) = (Mark(0, Run("/bin/sh", "-c", "trap '' TERM; sleep 300 & echo; wait")), Mark(1));
        await deaf.StandardOutput.ReadLineAsync();
        using var interruption = Interruption.Deaf(TimeProvider.System);
        var down = new ClusterDown(Folder, error, TimeProvider.System).RunAsync(interruption);
        await other.WaitForExitAsync();
        interruption.OnSignal();
        var refused = await Assert.ThrowsAsync<CommandFailure>(() => down);
        Assert.Contains("the silos were told to leave", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UpAndDown_SilosOfAnotherMachine_AreRefusedWhileTheyLive(bool live)
    {
        Folder.Open();
        directory.Write("cluster/lock", "");
        Directory.CreateDirectory(Folder.Marks);
        File.WriteAllText(
            Folder.Silo(0).Mark, "another boot\n7 (dtrain-silo) S 1 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 1234 23\n");
        var beat = 0;
        void Beat() => directory.Write(
            "cluster/jobs/.silos/a.mark",
            FormattableString.Invariant($"{(live ? beat++ : 0):D20}") + "\n"
            + """{"Id":"a","Silo":"silo-0","Host":"node-1 of a test","Process":7,"Kernel":"another boot"}""" + "\n   ");
        Beat();
        BeatingTime time = new(Beat);
        Func<Task> up = live
            ? () => new ClusterUp(Folder, "/nowhere", error, time).RunAsync(1, 1)
            : () => OtherMachine.RefuseAsync(Folder, time, CancellationToken.None);
        foreach (var command in new[] { () => new ClusterDown(Folder, error, time).RunAsync(), up })
        {
            if (live)
            {
                var refused = await Assert.ThrowsAsync<CommandFailure>(command);
                Assert.Equal(ExitCode.Usage, refused.ExitCode);
                Assert.Contains("runs on machine node-1 of a test (silo-0, process 7)", refused.Message, StringComparison.Ordinal);
                Assert.Contains("--dir DIR", refused.Message, StringComparison.Ordinal);
            }
            else
            {
                await command();
            }
        }

        // What names them to their own machine is left to it.
        Assert.Equal(live, File.Exists(Folder.Silo(0).Mark));
    }

    [Fact]
    public async Task Up_SilosThatLeave_AreWaitedFor()
    {
        Folder.Open();
        var (leaving, staying) = (Ready(0), Ready(1));
        List<string> asked = [];
        var wait = LeavingSilos.AwaitAsync(
            Folder.Silos(),
            (address, _) =>
            {
                asked.Add(address);
                return Task.FromResult(address == "http://127.0.0.1:1");
            },
            error,
            TimeProvider.System,
            CancellationToken.None);
        Assert.False(wait.IsCompleted);
        Assert.Contains($"silo-0 ({leaving.Id}) was told to leave; waiting for its end", error.ToString(), StringComparison.Ordinal);
        leaving.Kill();
        await wait;
        Assert.Equal(["http://127.0.0.1:1", "http://127.0.0.1:2"], asked);
        Assert.Null(Folder.Silo(0).Address());
        Assert.NotNull(Folder.Silo(1).Address());
        Assert.False(staying.HasExited);
    }

    [Theory]
    [InlineData(true, "draining: silo silo-0 is leaving and takes no more ranks\n")]
    [InlineData(false, "draining: an operator drained silo silo-0, which takes no more ranks until 'dtrain drain silo-0 --undo'\n")]
    [InlineData(false, "not ready: the membership has silo silo-0 as Joining; see its log\n")]
    public void Endpoint_TellsASiloThatLeavesFromOneThatWasDrained(bool expected, string words) =>
        Assert.Equal(expected, SiloEndpoint.MeansLeaving(words));

    [Fact]
    public async Task Endpoint_ThatIsClosed_BelongsToASiloThatLeaves() =>
        Assert.True(await SiloEndpoint.IsLeavingAsync("http://127.0.0.1:1", CancellationToken.None));

    [Fact]
    public async Task Down_NothingWasEverStarted_EndsNothing()
    {
        Assert.Empty(await Down());
        Assert.False(Directory.Exists(Folder.Root));
    }

    [Fact]
    public void Mark_AnotherBoot_IsAnotherProcess()
    {
        Folder.Open();
        var process = Mark(0);
        var mark = Folder.Silo(0).ReadMark()!;
        Assert.True(mark.IsAlive);
        Assert.False((mark with { Boot = "another" }).IsAlive);
        process.Kill();
        process.WaitForExit();
        Assert.False(mark.IsAlive);
        mark.End();
    }

    [Fact]
    public void Mark_NameWithSpacesAndBrackets_IsReadAllTheSame() => Assert.Equal(
        new ProcessMark("b", 42, 1234),
        ProcessMark.Parse("b\n42 (a ) S 1 (b) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 1234 23\n"));

    [Fact]
    public async Task Up_SiloThatEnds_NamesItsLogAndLeavesNone()
    {
        // Both are told by their name; the second would sleep on.
        var silo = directory.Script(
            "silo", """[ "$DTRAIN_SILO_NAME" = silo-1 ] && exec sleep 300; echo "dtrain-silo: no room at $DTRAIN_JOBS_ROOT" >&2; exit 3""");
        var refused = await Assert.ThrowsAsync<CommandFailure>(
            () => new ClusterUp(Folder, silo, error, TimeProvider.System).RunAsync(2, 1));
        Assert.Equal(ExitCode.Failed, refused.ExitCode);
        Assert.Contains("silo-0 ended with exit code 3 before it was ready.", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{Folder.Silo(0).Log}:\ndtrain-silo: no room at {Folder.Jobs}", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Folder.Silos());
    }

    /// <summary>Every wait is over at once and has taken its time, in which something happened.</summary>
    private sealed class BeatingTime(Action happens) : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref ticks);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period == Timeout.InfiniteTimeSpan)
            {
                happens();
                Interlocked.Add(ref ticks, dueTime.Ticks);
            }

            return base.CreateTimer(callback, state, period == Timeout.InfiniteTimeSpan ? TimeSpan.Zero : dueTime, period);
        }
    }
}
