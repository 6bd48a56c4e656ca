using Distributed.Client.Following;
using Distributed.Client.Outcomes;

namespace Distributed.Client.LocalCluster;

/// <summary>Ends the silos of a cluster of this machine, and no other process; its folder stays.</summary>
internal sealed class ClusterDown(ClusterFolder folder, TextWriter error, TimeProvider time)
{
    /// <summary>A silo waits 90 s for its jobs, and then has up to 20 s to leave.</summary>
    public static readonly TimeSpan LeaveDeadline = TimeSpan.FromSeconds(115);

    private static readonly TimeSpan QuietWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan KillDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private volatile bool told;

    /// <returns>What became of each silo that was started there, by number.</returns>
    /// <exception cref="CommandFailure">
    /// One of them cannot be ended, they run on another machine, or the command was interrupted.
    /// </exception>
    public async Task<IReadOnlyList<SiloEnding>> RunAsync()
    {
        using var interruption = Interruption.Listen(time);
        return await RunAsync(interruption);
    }

    /// <inheritdoc cref="RunAsync()"/>
    internal async Task<IReadOnlyList<SiloEnding>> RunAsync(Interruption interruption)
    {
        if (!File.Exists(folder.LockFile)) return [];
        try
        {
            using var held = await FolderLock.TakeAsync(folder, error, time, interruption.Asked);
            await OtherMachine.RefuseAsync(folder, time, interruption.Asked);
            return await Task.WhenAll(folder.Silos().Select(silo => EndAsync(silo, interruption.Asked)));
        }
        catch (OperationCanceledException) when (interruption.Asked.IsCancellationRequested)
        {
            throw new CommandFailure(ExitCode.Interrupted, told
                ? "Interrupted; the silos were told to leave and do so by themselves. 'dtrain cluster down' waits for them again."
                : "Interrupted before any silo was told to leave. 'dtrain cluster down' ends them.");
        }
    }

    private async Task<SiloEnding> EndAsync(SiloFiles silo, CancellationToken cancel)
    {
        if (silo.ReadMark() is not { IsAlive: true } mark)
        {
            silo.Forget();
            return new(silo.Name, SiloEnd.GoneBefore);
        }

        told = true;
        mark.AskToLeave();
        var left = await HasEndedAsync(
            mark, LeaveDeadline,
            () => error.WriteLine(
                $"{silo.Name} ({mark.Id}) moves its jobs away; waiting up to {LeaveDeadline.TotalSeconds:0} s."), cancel);
        if (!left)
        {
            mark.End();
            if (!await HasEndedAsync(mark, KillDeadline, () => { }, cancel))
                throw new CommandFailure(
                    ExitCode.Failed,
                    $"{silo.Name} ({mark.Id}) cannot be ended, not even by SIGKILL: it hangs in the system. See {silo.Log} and dmesg.");
        }

        silo.Forget();
        return new(silo.Name, left ? SiloEnd.Left : SiloEnd.Killed);
    }

    /// <param name="wait">Called once when it takes its time.</param>
    private async Task<bool> HasEndedAsync(ProcessMark mark, TimeSpan deadline, Action wait, CancellationToken cancel)
    {
        var said = false;
        for (var begin = time.GetTimestamp(); mark.IsAlive; await Task.Delay(LookAgain, time, cancel))
        {
            var waited = time.GetElapsedTime(begin);
            if (waited > deadline) return false;
            if (waited < QuietWait || said) continue;
            wait();
            said = true;
        }

        return true;
    }
}

/// <param name="Silo">Its name.</param>
internal sealed record SiloEnding(string Silo, SiloEnd End);

internal enum SiloEnd
{
    /// <summary>It handed its jobs over and left.</summary>
    Left,

    /// <summary>It did not leave in time.</summary>
    Killed,

    /// <summary>It had ended before.</summary>
    GoneBefore,
}
