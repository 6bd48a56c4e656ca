using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Distributed.Silo.Ranks;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Lifecycle;

/// <summary>
/// Leaves a cluster, or is drained by an operator, without loss: takes nothing more on, has its jobs write a checkpoint and line up again,
/// and waits until they have.
/// </summary>
internal sealed partial class Departure(
    SiloDrain drain, IRankJobs ranks, IGrainFactory grains, ServeSettings settings, TimeProvider time, ILogger<Departure> logger)
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(200);

    /// <param name="now">Ends the wait: whatever still runs then ends without a checkpoint.</param>
    public async Task Drain(TimeSpan longest, CancellationToken now)
    {
        drain.Begin();
        var started = time.GetTimestamp();
        Dictionary<JobId, Task> underWay = [];
        try
        {
            while (Here() is { Count: > 0 } jobs)
            {
                if (time.GetElapsedTime(started) > longest)
                {
                    LogTooLong(longest.TotalSeconds, string.Join(", ", jobs));
                    return;
                }

                Tell(jobs, underWay);
                await Task.Delay(LookPeriod, time, now);
            }
        }
        catch (OperationCanceledException) when (now.IsCancellationRequested)
        {
        }
    }

    /// <summary>Hands its jobs over for as long as an operator has the silo drained.</summary>
    public async Task StayDrained(CancellationToken stopping)
    {
        Dictionary<JobId, Task> underWay = [];
        while (drain is { IsDraining: true, IsLeaving: false })
        {
            Tell(Here(), underWay);
            await Task.Delay(LookPeriod, time, stopping);
        }
    }

    /// <summary>
    /// Jobs that would lose their generation with this silo; one that has its grain here and no rank is followed from elsewhere
    /// then, and does not pause.
    /// </summary>
    private HashSet<JobId> Here() => [.. ranks.Jobs];

    /// <summary>
    /// Waits for no answer: a job whose grain is on a silo that froze gives none for long, and holds up neither the others nor
    /// the end of the wait.
    /// </summary>
    /// <param name="underWay">What was told before; a job that has not answered yet is not told again.</param>
    private void Tell(HashSet<JobId> jobs, Dictionary<JobId, Task> underWay)
    {
        foreach (var answered in underWay.Where(told => told.Value.IsCompleted).Select(told => told.Key).ToList())
            underWay.Remove(answered);
        foreach (var job in jobs) if (!underWay.ContainsKey(job)) underWay[job] = Move(job);
    }

    private async Task Move(JobId jobId)
    {
        try
        {
            await grains.GetJob(jobId).Move($"silo {settings.SiloName} is {(drain.IsLeaving ? "leaving" : "drained")}");
        }
#pragma warning disable CA1031 // One job that cannot be told must not keep the others from being handed over.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotMoved(e, jobId);
        }
    }

    [LoggerMessage(
        4221, LogLevel.Warning,
        "After {Seconds} s jobs {Jobs} are still on this silo; it leaves now, and they continue elsewhere from the previous checkpoint. "
        + "Set DTRAIN_DRAIN_SECONDS higher if their steps take that long.")]
    private partial void LogTooLong(double seconds, string jobs);

    [LoggerMessage(4222, LogLevel.Information, "Job {Job} could not be told that this silo leaves; it is told again.")]
    private partial void LogNotMoved(Exception error, JobId job);
}
