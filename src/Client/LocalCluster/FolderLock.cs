using Distributed.Client.Outcomes;

namespace Distributed.Client.LocalCluster;

/// <summary>One command at a time changes a cluster's folder; the system frees it with the process that holds it.</summary>
internal static class FolderLock
{
    /// <summary>What the system answers when a lock is taken.</summary>
    private const int WouldBlock = 11;

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>Longer than any command that is not itself held up.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <exception cref="CommandFailure">Another command holds it for too long.</exception>
    public static async Task<IDisposable> TakeAsync(ClusterFolder folder, TextWriter error, TimeProvider time, CancellationToken cancel)
    {
        var begin = time.GetTimestamp();
        for (var said = false; ; said = true)
        {
            try
            {
                return new FileStream(folder.LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException taken) when (taken.HResult == WouldBlock)
            {
                if (time.GetElapsedTime(begin) > Patience)
                    throw new CommandFailure(
                        ExitCode.Failed,
                        $"Another 'dtrain cluster up' or 'down' has held '{folder.LockFile}' for {Patience.TotalMinutes:0} minutes. "
                        + "End it (fuser names it), then ask again.");
                if (!said)
                    await error.WriteLineAsync($"Another 'dtrain cluster up' or 'down' is running in {folder.Root}; waiting for it.");
                await Task.Delay(LookAgain, time, cancel);
            }
        }
    }
}
