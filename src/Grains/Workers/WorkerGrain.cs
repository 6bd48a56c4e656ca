using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Workers;

/// <summary>Starts a rank, waits for its end off the turn, tells the job.</summary>
[OnNamedSilo, Immovable, KeepAlive]
internal sealed partial class WorkerGrain(IRankHost host, TimeProvider time, ILogger<WorkerGrain> logger) : Grain, IWorkerGrain
{
    private static readonly TimeSpan ReportPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private Task? following;
    private RankEnd? end;

    private WorkerKey Key => WorkerKey.Parse(this.GetPrimaryKeyString());

    public Task Start(RankAssignment assignment)
    {
        following ??= Follow(assignment);
        return Task.CompletedTask;
    }

    public Task<WorkerReport> Status() => Task.FromResult(new WorkerReport(following is not null, end));

    public Task Abort(JobError reason) => Abort(reason, atOnce: false);

    public Task End(JobError reason) => Abort(reason, atOnce: true);

    private Task Abort(JobError reason, bool atOnce)
    {
        // The job waits for the end of each rank that it aborts, and a start that comes late finds this one ended.
        following ??= Report(end = new RankEnd(Key.Generation, Key.Rank, RankOutcome.Failed, reason));
        host.Abort(Key.JobId, Key.Generation, reason, atOnce);
        return Task.CompletedTask;
    }

    private async Task Follow(RankAssignment assignment)
    {
        end = await host.Run(assignment);
        await Report(end);
        DeactivateOnIdle();
    }

    /// <summary>A job that does not learn of its ranks' end runs for ever: it is told until it hears.</summary>
    private async Task Report(RankEnd ended)
    {
        var job = GrainFactory.GetJob(Key.JobId);
        for (var pause = ReportPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await job.RankEnded(ended);
                return;
            }
#pragma warning disable CA1031 // Storage, silo or grain: whatever is away now may be back the next time.
            catch (Exception e)
#pragma warning restore CA1031
            {
                LogReportFailed(e, Key.Rank.Value, Key.JobId, pause.TotalSeconds);
                await Task.Delay(pause, time);
            }
        }
    }
}
