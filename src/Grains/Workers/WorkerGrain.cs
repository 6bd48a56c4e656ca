using Distributed.Core.Events;
using Distributed.Grains.Jobs;
using Distributed.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Workers;

/// <summary>Starts a rank, waits for its end off the turn, tells the job.</summary>
[OnNamedSilo, Immovable, KeepAlive]
internal sealed partial class WorkerGrain(IRankHost host, TimeProvider time, ILogger<WorkerGrain> logger) : Grain, IWorkerGrain
{
    private const int ReportAttempts = 5;
    private static readonly TimeSpan ReportPause = TimeSpan.FromSeconds(1);

    private Task? following;
    private RankEnd? end;
    private JobError? aborted;

    private WorkerKey Key => WorkerKey.Parse(this.GetPrimaryKeyString());

    public Task Start(RankAssignment assignment)
    {
        following ??= Follow(assignment);
        return Task.CompletedTask;
    }

    public Task<WorkerReport> Status() => Task.FromResult(new WorkerReport(following is not null, end));

    public Task Abort(JobError reason)
    {
        // Kept for a start that comes late: a rank of an ended generation must not begin.
        aborted ??= reason;
        if (following is not null) host.Abort(Key.JobId, Key.Generation, reason);
        return Task.CompletedTask;
    }

    private async Task Follow(RankAssignment assignment)
    {
        end = aborted is { } reason
            ? new RankEnd(assignment.Generation, assignment.Rank, RankOutcome.Failed, reason)
            : await host.Run(assignment);
        var job = GrainFactory.GetGrain<IJobGrain>(Key.JobId);
        for (var attempt = 1; attempt <= ReportAttempts; attempt++)
        {
            try
            {
                await job.RankEnded(end);
                break;
            }
            catch (Exception e) when (e is TimeoutException or OrleansException)
            {
                LogReportFailed(e, Key.Rank, Key.JobId, attempt, ReportAttempts);
                await Task.Delay(ReportPause, time);
            }
        }

        DeactivateOnIdle();
    }
}
