using Distributed.Client.Outcomes;

namespace Distributed.Client.LocalCluster;

/// <summary>Silos that were told to leave and are still at it, as after a <c>dtrain cluster down</c> that was interrupted.</summary>
internal static class LeavingSilos
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    /// <summary>Waits until they have ended; their traces are gone then, so that they count as silos to be started.</summary>
    /// <param name="isLeaving">Asks the silo at an address.</param>
    /// <exception cref="CommandFailure">One of them does not end.</exception>
    public static async Task AwaitAsync(
        IEnumerable<SiloFiles> silos, Func<string, CancellationToken, Task<bool>> isLeaving, TextWriter error, TimeProvider time,
        CancellationToken cancel)
    {
        var asked = await Task.WhenAll(silos.Select(
            async silo => (Silo: silo, Mark: silo.ReadMark(), Leaves: silo.Address() is { } address && await isLeaving(address, cancel))));
        foreach (var (silo, mark, _) in asked.Where(one => one.Leaves))
        {
            if (!mark!.IsAlive) continue;
            await error.WriteLineAsync($"{silo.Name} ({mark.Id}) was told to leave; waiting for its end, to start it again.");
            for (var begin = time.GetTimestamp(); mark.IsAlive; await Task.Delay(LookAgain, time, cancel))
            {
                if (time.GetElapsedTime(begin) > ClusterDown.LeaveDeadline)
                    throw new CommandFailure(
                        ExitCode.Failed,
                        $"{silo.Name} ({mark.Id}) was told to leave and has not ended within {ClusterDown.LeaveDeadline.TotalSeconds:0} s. "
                        + "'dtrain cluster down' ends it.");
            }
        }
    }
}
