using System.Diagnostics;
using System.Globalization;
using Distributed.Client.LocalCluster;

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
            if (!process.HasExited) process.Kill();
            process.Dispose();
        }

        error.Dispose();
        directory.Dispose();
    }

    private Process Sleep()
    {
        var process = Process.Start("sleep", "300");
        processes.Add(process);
        return process;
    }

    /// <summary>A process as if it were a silo of the folder, started then or at another time.</summary>
    private Process Mark(int number, long later = 0)
    {
        var process = Sleep();
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
            Assert.Contains("is at work in", error.ToString(), StringComparison.Ordinal);
            Assert.False(down.IsCompleted);
        }

        Assert.Empty(await down);
    }

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
        new ProcessMark("b", 42, 1234), ProcessMark.Parse("b\n42 (a ) S 1 (b) S 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 1234 23\n"));

    [Fact]
    public async Task Up_SiloThatEnds_NamesItsLogAndLeavesNone()
    {
        // Both are told by their name; the second would sleep on.
        var silo = directory.Script("silo", """[ "$DTRAIN_SILO_NAME" = silo-1 ] && exec sleep 300; echo "dtrain-silo: no room at $DTRAIN_JOBS_ROOT" >&2; exit 3""");
        var refused = await Assert.ThrowsAsync<CommandFailure>(() => new ClusterUp(Folder, silo, error, TimeProvider.System).RunAsync(2, 1));
        Assert.Equal(ExitCode.Failed, refused.ExitCode);
        Assert.Contains("silo-0 ended with exit code 3 before it was ready.", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"{Folder.Silo(0).Log}:\ndtrain-silo: no room at {Folder.Jobs}", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Folder.Silos());
    }
}
