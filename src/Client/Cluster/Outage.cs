using Distributed.Client.Rendering;

namespace Distributed.Client.Cluster;

/// <summary>How long a cluster that does not answer is waited for, and what the user is told meanwhile.</summary>
/// <param name="patience">From the first failure; zero: not at all.</param>
internal sealed class Outage(TimeSpan patience, Action<string> say, TimeProvider time)
{
    /// <summary>Long enough for a silo to start anew.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>A stream that was taken and held this long was a good one, even if nothing happened in it.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(10);

    private long? since;
    private long attempt = time.GetTimestamp();

    /// <summary>For those who would rather know at once.</summary>
    public static Outage NotWaitedFor(TimeProvider time) => new(TimeSpan.Zero, _ => { }, time);

    public void BeginAttempt() => attempt = time.GetTimestamp();

    /// <summary>The connection was lost once more.</summary>
    /// <param name="taken">The server had taken the call.</param>
    public bool MayWait(bool taken)
    {
        if (patience <= TimeSpan.Zero) return false;
        if (taken && time.GetElapsedTime(attempt) >= Settled) since = null;
        if (since is null)
        {
            since = time.GetTimestamp();
            say(ProgressCells.Text($"The cluster does not answer; waiting up to {patience.TotalSeconds:0} s for it to come back."));
        }
        return time.GetElapsedTime(since.Value) < patience;
    }

    public Task PauseAsync(CancellationToken cancel) => Task.Delay(RetryInterval, time, cancel);

    /// <summary>The cluster has answered.</summary>
    public void End()
    {
        if (since is null) return;
        since = null;
        say("The cluster answers again.");
    }
}
