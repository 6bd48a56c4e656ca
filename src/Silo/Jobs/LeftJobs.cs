using Distributed.Grains.Devices;
using Distributed.Grains.Jobs;
using Distributed.Silo.Jobs.Journals;

namespace Distributed.Silo.Jobs;

/// <summary>At the start: brings jobs back to the list of which only the folder is left, as after the loss of the store.</summary>
internal sealed partial class LeftJobs(IGrainFactory grains, FileJournals folders, TimeProvider time, ILogger<LeftJobs> logger) : BackgroundService
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!await TryRecall()) await Task.Delay(TryAgain, time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task<bool> TryRecall()
    {
        try
        {
            var kept = folders.Kept().ToList();
            if (kept.Count == 0) return true;
            var queue = grains.GetGrain<IJobQueueGrain>(0);
            var listed = (await queue.List()).ToHashSet(StringComparer.Ordinal);
            var left = kept.Where(id => !listed.Contains(id)).ToList();
            foreach (var id in left) await Recall(queue, grains.GetGrain<IJobGrain>(id), id);
            if (left.Count > 0) LogLeft(left.Count, string.Join(", ", left));
            return true;
        }
#pragma warning disable CA1031 // Before the queue is up, or without the storage: the next look tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotLooked(e);
            return false;
        }
    }

    /// <summary>The grain makes its record again of what its folder says, or has one that the queue has forgotten.</summary>
    private static async Task Recall(IJobQueueGrain queue, IJobGrain job, string id)
    {
        var standing = await job.Wake();
        if (standing.Waiting is { } waiting) await queue.Enqueue(waiting);
        else if (standing.Holding is null && await job.Status() is { } report && report.Phase.IsFinal()) await queue.Leave(id, ended: true);
    }

    [LoggerMessage(4241, LogLevel.Warning, "The store has lost the records of {Count} jobs, whose folders are left in the jobs root: {Jobs}. Those that had not ended are stopped; 'dtrain resume ID' goes on from the last checkpoint.")]
    private partial void LogLeft(int count, string jobs);

    [LoggerMessage(4242, LogLevel.Information, "It could not be seen yet whether the jobs root holds jobs that the queue does not know; tried again soon.")]
    private partial void LogNotLooked(Exception error);
}
