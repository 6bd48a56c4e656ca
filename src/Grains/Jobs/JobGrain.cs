using System.Collections.Immutable;
using Distributed.Core.DataSets;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

/// <summary>Shell round <see cref="JobLifecycle"/>: stores each new state before it acts on it.</summary>
/// <remarks>Its own fields are what this activation has seen and has yet to do.</remarks>
[KeepAlive, OnWillingSilo]
internal sealed partial class JobGrain(
    [PersistentState("job", StorageNames.Jobs)] IPersistentState<JobRecord> store,
    IOptions<JobGrainOptions> options,
    IClusterMembershipService members,
    IDeviceServices devices,
    IUserQuotas quotas,
    SiloDrain drain,
    LocalJobs local,
    IHostApplicationLifetime process,
    TimeProvider time,
    ILogger<JobGrain> logger,
    IJobJournals? journals = null) : Grain, IJobGrain, IAsyncDisposable
{
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromSeconds(0.5);

    private readonly CancellationTokenSource leaving = CancellationTokenSource.CreateLinkedTokenSource(process.ApplicationStopping);
    private JobSpec? spec;

    /// <summary>Why this version refuses a job that an earlier one took; null: it does not.</summary>
    private string? outdated;

    /// <summary>Why the record could not be stored the last time; null when it was.</summary>
    private string? trouble;

    private JobId Id => JobId.Parse(this.GetPrimaryKeyString());

    private JobState State => store.State.State;

    private JobSpec Spec => spec ??= ReadSpec(store.State.Submission!);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await RecallFolder();
        if (store.State.Submission is null) return;
        await OpenJournal();
        if (State.Phase.IsFinal() && !Journal.HasEnding) Journal.AddEndingAgain(ClosingLine());
        if (Spec is not null && outdated is not null) LogOutdated(Id, outdated);
        if (HasRanks)
        {
            orphan = State.Generation;
            if (!Journal.HasOpening) Journal.OpenLater(Opening());
        }

        WatchLimits();
        // What follows calls other grains, which may be waiting for this one to wake.
        if (HasRanks || State.Phase == JobPhase.Queued || Journal.HasUnwritten || !isKept || recalled) SettleSoon();
    }

    public async ValueTask DisposeAsync()
    {
        local.Remove(Id);
        if (opened is not null) await opened.DisposeAsync();
        leaving.Dispose();
    }

    public async Task<SubmitOutcome> Submit(JobSubmission submission)
    {
        if (store.State.Submission is { } known)
        {
            var outcome = Compare(known, submission);
            // The first time may have been stored and yet not have reached the queue.
            if (outcome.Result == SubmitResult.AlreadyThere && State.Phase == JobPhase.Queued) await Act([new JobEffect.Enqueue()]);
            if (outcome.Result == SubmitResult.AlreadyThere && JobLifecycle.IsRecalled(State))
                await Apply(JobLifecycle.Resume(State, time.GetUtcNow()));
            return outcome;
        }

        if (stranger is not null)
        {
            DeactivateOnIdle();
            return new SubmitOutcome(SubmitResult.IdTaken, stranger);
        }

        var submitted = SpecText.Parse(submission.SpecJson);
        var run = submission.Options;
        if (RankPlan.Refuse(submitted, run.Ranks, run.Silos, run.StopAt) is { } refusal)
        {
            DeactivateOnIdle();
            return new SubmitOutcome(SubmitResult.Invalid, refusal);
        }

        if (run.Requeue && await Queue.Admit(Id, submission.User) is { } full)
        {
            DeactivateOnIdle();
            return new SubmitOutcome(SubmitResult.OverQuota, full);
        }

        await OpenJournal(isNew: true);
        var by = submission.User.Length > 0 ? $" by {submission.User}" : "";
        var submit = JobLifecycle.Submit(State, run.Requeue, time.GetUtcNow(), submitted.Limits?.Losses);
        await Apply(
            submit with { Effects = [new JobEffect.Note($"submitted{by}"), .. submit.Effects] },
            store.State with { Submission = submission });
        await Keep();
        return new SubmitOutcome(SubmitResult.Created);
    }

    public async Task<JobReport?> Status()
    {
        return store.State.Submission is null ? Nothing<JobReport>() : await Report();
    }

    /// <summary>
    /// The answer for an id that nobody has submitted; grains that are kept alive would pile up for ids that somebody makes up.
    /// </summary>
    private T? Nothing<T>()
        where T : class
    {
        DeactivateOnIdle();
        return null;
    }

    public async Task RankEnded(RankEnd end)
    {
        var around = await LookAround(end.Error);
        await Apply(JobLifecycle.RankEnded(
            State, end with { Error = RankPlan.WithRank(end.Error, store.State.Plan) }, Journal.Progressed, Journal.LastStep, around));
    }

    public async Task<bool> Begin(Generation generation, int ranks, ImmutableArray<LeasedSilo> silos)
    {
        if (State.Phase == JobPhase.Running && State.Generation == generation) return true;
        if (State.Phase != JobPhase.Queued || State.Generation.Next != generation) return false;
        if (drain.IsDraining)
        {
            // Another silo is to follow the ranks; this one will not be there. Readers that wait for a line would keep the grain here.
            await leaving.CancelAsync();
            DeactivateOnIdle();
            return false;
        }

        Journal.BeginGeneration();
        closing = null;
        try
        {
            await Apply(JobLifecycle.Grant(State, ranks), store.State with { Plan = RankPlan.Deal(ranks, Spec.Workers.Device, silos) });
        }
        catch when (State.Phase == JobPhase.Running && State.Generation == generation)
        {
            // Stored, but nobody knows how many of its ranks began.
            orphan = generation;
            SettleSoon();
            throw;
        }

        return true;
    }

    /// <summary>A job that cannot be read can still be listed, explained and deleted.</summary>
    private JobSpec ReadSpec(JobSubmission submission)
    {
        try
        {
            return SpecText.Parse(submission.SpecJson);
        }
        catch (JobException e)
        {
            outdated = e.Message;
            return new JobSpec
            {
                Name = Id.ToString(),
                Model = ModelSpec.Of(new SimpleCnnOptions()),
                Data = DataSpec.Of(new ShapesOptions()),
                GlobalBatch = 1,
                MicroBatch = 1,
            };
        }
    }

    private SubmitOutcome Compare(JobSubmission known, JobSubmission submission)
    {
        var isSame = known.SpecJson == submission.SpecJson || SpecText.AreSame(known.SpecJson, submission.SpecJson);
        if (isSame && known with { SpecJson = submission.SpecJson } == submission) return new SubmitOutcome(SubmitResult.AlreadyThere);
        // Whose it is, and what it holds, is nobody else's business.
        if (known.User != submission.User) return new SubmitOutcome(SubmitResult.IdTaken, $"The id {Id} is taken; choose another one.");
        var differs = isSame ? "other options" : "another content";
        return new SubmitOutcome(SubmitResult.IdTaken, $"Job {Id} was submitted before with {differs}; choose another id.");
    }

    private EventLine ClosingLine() => State.Failure is { } failure ? EventLine.Of(new FailedEvent(failure)) : State.Announced!;

    private async Task<JobReport> Report()
    {
        // Of one moment: while the queue is asked, the job may begin, end or be deleted.
        var (submission, state, plan) = (store.State.Submission!, State, HasRanks ? store.State.Plan : []);
        var report = new JobReport(
            Id, Spec.Name, state.Phase, Journal.LastStep, Journal.TotalSteps, state.Generation,
            state.Phase switch
            {
                JobPhase.Queued => LimitWords("; "),
                JobPhase.Running when state.StopAsked => "stops after the step in flight",
                JobPhase.Running when state.Overdue is { } overdue => $"ends after the step in flight: {overdue.Message}",
                JobPhase.Running when state.Requeue is { } requeue => $"returns to the queue: {requeue.Reason}",
                JobPhase.Running => LimitWords(""),
                JobPhase.Failed => state.Failure!.Message,
                JobPhase.Stopped when JobLifecycle.IsRecalled(state) =>
                    $"its record was lost with the store: 'dtrain resume {Id}' continues from its last checkpoint",
                _ => "",
            },
            submission.User, submission.Options.Priority, HasRanks ? state.WorldSize : 0, [.. plan.Select(p => p.Silo.Name)],
            Journal.EventsEnd, Journal.LogEnd);
        return state.Phase == JobPhase.Queued
            ? report with { Message = ((await AskQueue())?.What ?? "waits for its turn") + report.Message }
            : report;
    }

    private async Task<JobFinding?> AskQueue()
    {
        try
        {
            // A queue that moves to another silo answers when it is there; what else is known of the job is not held back for that.
            return await Queue.Explain(Id).WaitAsync(LongestQuestion, time);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            LogQueueSilent(e, Id);
            return null;
        }
    }
}
