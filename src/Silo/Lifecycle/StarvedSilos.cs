using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Silo.Cluster.Roots;
using Distributed.Silo.Ranks;
using Orleans.Runtime;

namespace Distributed.Silo.Lifecycle;

/// <summary>
/// Tells jobs of silos that ended for want of memory: those of this machine as soon as the members miss them, and this one's own last end
/// when it starts again.
/// </summary>
internal sealed partial class StarvedSilos(
    RootOwnership root, IRankJobs ranks, IClusterMembershipService members, IGrainFactory grains, TimeProvider time,
    ILogger<StarvedSilos> logger) : BackgroundService
{
    private const int Attempts = 5;
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        root.Job = () => ranks.Jobs.Cast<JobId?>().FirstOrDefault();
        // A job may take all memory before the next sign of life is due.
        ranks.Begun += () => ThreadPool.QueueUserWorkItem(_ => root.Tell());
        try
        {
            await Tell(stoppingToken);
            await foreach (var _ in members.MembershipUpdates.WithCancellation(stoppingToken)) await Tell(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The silo ends.
        }
    }

    private async Task Tell(CancellationToken stopping)
    {
        foreach (var mark in root.TakeStarved())
        {
            LogStarved(mark.Silo, mark.Process, mark.Host, mark.Job?.ToString() ?? "no job");
            if (mark.Job is { } job) await Tell(job, mark.Silo, stopping);
        }
    }

    private async Task Tell(JobId job, string silo, CancellationToken stopping)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            try
            {
                await grains.GetJob(job).Starved(silo);
                return;
            }
#pragma warning disable CA1031 // It is in the log; a job that cannot be told so must not end the watch.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogNotTold(e, job, silo);
            }

            // Not a service that faults: that would end the silo.
            await Task.Delay(TryAgain, time, stopping);
        }
    }

    [LoggerMessage(4270, LogLevel.Warning,
        "Silo {Silo} (process {Process} on {Host}) ended while it ran {Job}, and the kernel of its machine meanwhile killed a process "
        + "because memory ran out: most likely this one. Give silos a limit that holds their jobs (DTRAIN_MEMORY, or the container's), "
        + "or look at what the job takes.")]
    private partial void LogStarved(string silo, int process, string host, string job);

    [LoggerMessage(4271, LogLevel.Information, "Job {Job} could not be told that silo {Silo} was killed because memory ran out.")]
    private partial void LogNotTold(Exception error, JobId job, string silo);
}
