using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Distributed.Grains.Queue;

namespace Distributed.Grains.Jobs;

// What owners and operators ask of a job besides its start and its end.
internal sealed partial class JobGrain
{
    public Task<JobChange?> Stop(bool checkpoint, JobCaller by) =>
        Change(by, () => null, () => JobLifecycle.Stop(State, checkpoint, Journal.LastStep, time.GetUtcNow() + options.Value.StopPatience));

    public async Task<JobChange?> Resume(JobCaller by)
    {
        // A caller that may not resume it learns nothing of that.
        var full = store.State.Submission is { } submission && by.Refuse(Id, submission.User) is null && RefuseResume() is null
            ? await AskForDisk(submission.User)
            : null;
        return await Change(by, () => RefuseResume() ?? full, () => JobLifecycle.Resume(State, time.GetUtcNow()));
    }

    /// <returns>Null: its user has room on disk, or nobody can tell now: it is looked at again while the job runs.</returns>
    private async Task<string?> AskForDisk(string user)
    {
        if (!State.Requeues || quotas.Of(user).Disk is null) return null;
        try
        {
            return await Queue.Weigh(Id, user, bytes: null);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogQueueSilent(e, Id);
            return null;
        }
    }

    private string? RefuseResume() => State.Phase switch
    {
        JobPhase.Completed => $"Job {Id} has completed; there is nothing to resume. Submit it again under another id to run it again.",
        JobPhase.Queued or JobPhase.Running =>
            $"Job {Id} is {State.Phase.ToString().ToLowerInvariant()}; only a stopped or failed job can be resumed.",
        _ when outdated is { } why => $"Job {Id} was taken by an earlier version, and this one refuses it: {why}",
        _ when HasRanks => $"The ranks of job {Id} are still ending; ask again in a moment.",
        _ => null,
    };

    public Task<JobChange?> Scale(int workers, JobCaller by) => Change(
        by,
        () => State.Phase == JobPhase.Completed ? $"Job {Id} has completed; it needs no ranks any more."
            : RankPlan.Refuse(Spec, workers, 0, 0) is { } refusal ? refusal
            : workers < 1 ? $"workers: found {workers}, expected 1 or more."
            : null,
        () => JobLifecycle.Scale(State, workers));

    public async Task<JobChange?> Delete(JobCaller by)
    {
        if (store.State.Submission is not { } submission) return Nothing<JobChange>();
        var report = await Report();
        if (by.Refuse(Id, submission.User) is { } denied) return new JobChange(report, denied) { IsDenied = true };
        if (State.Phase == JobPhase.Running || HasRanks)
        {
            var ends = State.StopAsked || State.Phase.IsFinal();
            var refusal = ends
                ? $"The ranks of job {Id} are still ending; delete it in a moment ('dtrain stop {Id} --wait' waits for that)."
                : $"Job {Id} is running; stop it first ('dtrain stop {Id} --wait'), then delete it; 'dtrain delete {Id} --stop' does both.";
            return new JobChange(report, refusal) { IsPassing = ends };
        }

        try
        {
            if (State.Phase == JobPhase.Queued) await Queue.Leave(Id, ended: true);
            await Journal.Delete();
        }
        catch (IOException e)
        {
            DeactivateOnIdle();
            return new JobChange(
                report,
                $"The files of job {Id} could not all be removed ({e.Message}); free space or correct the rights, then delete it again.");
        }

        try
        {
            await store.ClearStateAsync();
            isKept = false;
            Journal.Wake();
            await Queue.Forget(Id);
        }
        finally
        {
            // Its journals are closed: what comes next finds the job as it then is.
            DeactivateOnIdle();
        }

        return new JobChange(report with { Phase = JobPhase.Absent });
    }

    public async Task<JobDiagnosis?> Why()
    {
        if (store.State.Submission is null) return Nothing<JobDiagnosis>();
        var (failure, starved) = (State.Failure, JobLifecycle.StarvedOf(State));
        var report = await Report();
        var queue = State.Phase == JobPhase.Queued ? await AskQueue() : null;
        var recent = await Journal.RecentEvents();
        return recent is null
            ? null
            : new JobDiagnosis(report, [.. JobDoctor.Examine(report, failure, queue, LimitWords(""), recent, trouble, starved)]);
    }

    public Task Move(string reason) => Apply(JobLifecycle.Move(State, reason));

    public Task<JobStanding> Wake()
    {
        if (store.State.Submission is not { } submission) return Task.FromResult(new JobStanding(null, null));
        if (State.Phase == JobPhase.Queued) return Task.FromResult(new JobStanding(QueueEntry(), null));
        return Task.FromResult(HasRanks
            ? new JobStanding(null, new JobHold(
                submission.User, State.Generation, State.WorldSize, [.. store.State.Plan.Select(p => p.Silo)])
            {
                Next = QueueEntry(),
            })
            {
                Faults = State.Faults,
            }
            : new JobStanding(null, null));
    }

    public async Task<JobError?> Confirm(Generation generation, long step)
    {
        if (generation != State.Generation || State.Phase != JobPhase.Running || State.Requeue is { Abrupt: true })
            return new JobError(
                Core.Jobs.ErrorCodes.SiloLost, $"Job {Id}: generation {generation} is over; its checkpoint of step {step} is dropped.",
                null, null, "checkpoint", step);
        await Apply(JobLifecycle.Confirm(State, step));
        return null;
    }

    /// <param name="refusal">Why the job is in no state for it; null: it is.</param>
    private async Task<JobChange?> Change(JobCaller by, Func<string?> refusal, Func<JobTransition> transition)
    {
        if (store.State.Submission is not { } submission) return Nothing<JobChange>();
        if (by.Refuse(Id, submission.User) is { } denied) return new JobChange(await Report(), denied) { IsDenied = true };
        var refused = refusal();
        if (refused is null) await Apply(transition());
        return new JobChange(await Report(), refused) { IsPassing = refused is not null && HasRanks && State.Phase.IsFinal() };
    }
}
