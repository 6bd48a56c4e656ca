using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Folders;

namespace Distributed.Silo.Lifecycle;

/// <summary>At the start: brings jobs back to the list of which only the folder is left, as after the loss of the store.</summary>
internal sealed partial class LeftJobs(IGrainFactory grains, FileJournals folders, TimeProvider time, ILogger<LeftJobs> logger)
    : BackgroundService
{
    /// <summary>While the queue does not answer.</summary>
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(5);

    /// <summary>While single jobs cannot be brought back: somebody has to mend them.</summary>
    private static readonly TimeSpan TryBrokenAgain = TimeSpan.FromMinutes(1);

    /// <summary>Longer than a queue takes to come up.</summary>
    private const int FailuresToWarnOf = 12;

    private readonly HashSet<JobId> recalledBefore = [];
    private readonly HashSet<string> warned = new(StringComparer.Ordinal);
    private int failures;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await TryRecall(stoppingToken) is { } pause) await Task.Delay(pause, time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <returns>When to look again; null: the queue knows all jobs.</returns>
    private async Task<TimeSpan?> TryRecall(CancellationToken stopping)
    {
        try
        {
            Dictionary<string, IOException> unreadable = [];
            var kept = folders.Kept((folder, why) => unreadable[folder] = why).ToList();
            if (kept.Count + unreadable.Count == 0) return null;
            var queue = grains.GetGrain<IJobQueueGrain>(0);
            var listed = JobId.Of(await queue.List()).ToHashSet();
            List<JobId> recalled = [];
            var broken = 0;
            foreach (var id in kept.Where(id => !listed.Contains(id) && !recalledBefore.Contains(id)))
            {
                stopping.ThrowIfCancellationRequested();
                if (await TryRecall(queue, id)) recalled.Add(id);
                else broken++;
            }

            foreach (var (folder, why) in unreadable)
            {
                if (JobId.TryParse(folder, out var id) && listed.Contains(id)) continue;
                broken++;
                Warn(folder, why);
            }

            if (recalled.Count > 0) LogLeft(recalled.Count, string.Join(", ", recalled));
            return broken == 0 ? null : TryBrokenAgain;
        }
#pragma warning disable CA1031 // Before the queue is up, or without the storage: the next look tries again.
        catch (Exception e) when (!stopping.IsCancellationRequested)
#pragma warning restore CA1031
        {
            if (++failures == FailuresToWarnOf) LogNeverLooked(e);
            else LogNotLooked(e);
            return TryAgain;
        }
    }

    /// <returns>False: this one cannot be brought back now; the log says why, once.</returns>
    private async Task<bool> TryRecall(IJobQueueGrain queue, JobId id)
    {
        try
        {
            await Recall(queue, grains.GetJob(id), id);
            return recalledBefore.Add(id);
        }
#pragma warning disable CA1031 // One job whose files cannot be read keeps no other from coming back.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Warn(id.ToString(), e);
            return false;
        }
    }

    private void Warn(string folder, Exception why)
    {
        if (warned.Add(folder)) LogBroken(folder, why.Message.TrimEnd('.'));
    }

    /// <summary>The grain makes its record again of what its folder says, or has one that the queue has forgotten.</summary>
    private static async Task Recall(IJobQueueGrain queue, IJobGrain job, JobId id)
    {
        var standing = await job.Wake();
        if (standing.Waiting is { } waiting) await queue.Enqueue(waiting);
        else if (standing.Holding is null && await job.Status() is { } report && report.Phase.IsFinal()) await queue.Leave(id, ended: true);
    }

    [LoggerMessage(
        4241, LogLevel.Warning,
        "The store has lost the records of {Count} jobs, whose folders are left in the jobs root: {Jobs}. "
        + "Those that had not ended are stopped; 'dtrain resume ID' continues from the last checkpoint.")]
    private partial void LogLeft(int count, string jobs);

    [LoggerMessage(
        4242, LogLevel.Information,
        "It is not known yet whether the jobs root holds jobs that the queue does not know; the next check is soon.")]
    private partial void LogNotLooked(Exception error);

    [LoggerMessage(
        4243, LogLevel.Warning,
        "For a minute it has not been known whether the jobs root holds jobs that the queue does not know; checks continue. "
        + "Check the store and the jobs root.")]
    private partial void LogNeverLooked(Exception error);

    [LoggerMessage(
        4244, LogLevel.Warning,
        "Job {Job} has a folder in the jobs root, but cannot be brought back to the list: {Why}. Repair its folder, or move it away; "
        + "it is tried again every minute.")]
    private partial void LogBroken(string job, string why);
}
