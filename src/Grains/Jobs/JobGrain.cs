using System.Collections.Immutable;
using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Distributed.Grains.Workers;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Jobs;

/// <summary>Shell round <see cref="JobLifecycle"/>: stores each new state before it acts on it.</summary>
[KeepAlive, PreferLocalPlacement]
internal sealed partial class JobGrain(
    [PersistentState("job", TrainingSiloBuilderExtensions.JobStorage)] IPersistentState<JobRecord> store,
    IOptions<JobGrainOptions> options,
    IClusterMembershipService members,
    TimeProvider time,
    ILogger<JobGrain> logger) : Grain, IJobGrain
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);
    private const int LargestPage = 4096;

    private readonly EventLog log = new(options.Value.EventsKept);
    private readonly Dictionary<(int Generation, string Source), long> nextOf = [];
    private TaskCompletionSource? news;
    private JobSpec? spec;
    private bool logClosed;
    private long lastStep;
    private long totalSteps;

    private string Id => this.GetPrimaryKeyString();

    private JobState State => store.State.State;

    private JobSpec Spec => spec ??= SpecText.Parse(store.State.Submission!.SpecJson);

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (State.Phase.IsFinal()) LogLine(ClosingLine());
        else if (State.Phase == JobPhase.Queued) await Act([new JobEffect.Enqueue()]);
        else if (State.Phase == JobPhase.Running)
            await Apply(JobLifecycle.Break(State, new JobError(
                ErrorCodes.Internal, $"Job {Id}: the silo that followed generation {State.Generation} has ended; resume from the last checkpoint.", null, null, null, null)));
    }

    public async Task<SubmitOutcome> Submit(JobSubmission submission)
    {
        if (store.State.Submission is { } known) return Compare(known, submission);
        var submitted = SpecText.Parse(submission.SpecJson);
        var run = submission.Options;
        if (RankPlan.Refuse(submitted, run.Ranks, run.Silos, run.StopAt) is { } refusal)
        {
            DeactivateOnIdle();
            return new SubmitOutcome(SubmitResult.Invalid, refusal);
        }

        await Apply(JobLifecycle.Submit(State), store.State with { Submission = submission });
        return new SubmitOutcome(SubmitResult.Created);
    }

    public Task<JobReport?> Status()
    {
        if (store.State.Submission is not null) return Task.FromResult<JobReport?>(Report());
        DeactivateOnIdle();
        return Task.FromResult<JobReport?>(null);
    }

    public async Task<JobReport?> Stop(bool checkpoint)
    {
        if (store.State.Submission is not null) await Apply(JobLifecycle.Stop(State, checkpoint));
        return await Status();
    }

    public async Task<EventPage?> ReadEvents(long from, int max, TimeSpan wait)
    {
        if (store.State.Submission is null) return null;
        var end = time.GetTimestamp() + (long)((wait < LongestWait ? wait : LongestWait).TotalSeconds * time.TimestampFrequency);
        while (log.End <= from && !logClosed)
        {
            var left = time.GetElapsedTime(time.GetTimestamp(), end);
            if (left <= TimeSpan.Zero) break;
            news ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await news.Task.WaitAsync(left, time).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        }

        var page = log.Read(from, Math.Clamp(max, 1, LargestPage));
        var next = page.Length > 0 ? page[^1].Number + 1 : log.End;
        return new EventPage(page, logClosed && next == log.End);
    }

    public Task Append(EventBatch batch)
    {
        if (State.Phase != JobPhase.Running || batch.Generation != State.Generation) return Task.CompletedTask;
        var sequence = (batch.Generation, batch.Source);
        var next = nextOf.GetValueOrDefault(sequence);
        for (var i = (int)Math.Max(0, next - batch.First); i < batch.Lines.Length; i++) Take(batch.Lines[i]);
        nextOf[sequence] = Math.Max(next, batch.First + batch.Lines.Length);
        if (batch.TotalSteps > 0) totalSteps = batch.TotalSteps;
        return Task.CompletedTask;
    }

    public Task RankEnded(RankEnd end) => Apply(JobLifecycle.RankEnded(State, end));

    public async Task Begin(ImmutableArray<LeasedSilo> silos)
    {
        if (store.State.Submission is not { } submission) return;
        var worldSize = RankPlan.WorldSize(Spec, submission.Options.Ranks, silos.Sum(s => s.Slots));
        var plan = State.Phase == JobPhase.Queued ? RankPlan.Deal(worldSize, Spec.Workers.Device, silos) : store.State.Plan;
        await Apply(JobLifecycle.Grant(State, worldSize), store.State with { Plan = plan });
    }

    public Task<EventPage?> ReadLog(long from, int max, TimeSpan wait) => throw new NotSupportedException();
    public Task<JobChange?> Resume() => throw new NotSupportedException();
    public Task<JobChange?> Scale(int workers) => throw new NotSupportedException();
    public Task<JobChange?> Delete() => throw new NotSupportedException();
    public Task<JobDiagnosis?> Why() => throw new NotSupportedException();

    private void Take(EventLine line)
    {
        lastStep = Math.Max(lastStep, line.Step);
        if (line.Ending is null) LogLine(line);
        else store.State = store.State with { State = JobLifecycle.Announce(State, State.Generation, line).State };
    }

    private void LogLine(EventLine line)
    {
        if (logClosed) return;
        log.Append(line.Json);
        logClosed = line.Ending is not null;
        news?.TrySetResult();
        news = null;
    }

    private EventLine ClosingLine() => State.Failure is { } failure ? EventLine.Of(new FailedEvent(failure)) : State.Announced!;

    private SubmitOutcome Compare(JobSubmission known, JobSubmission submission)
    {
        if (known == submission) return new SubmitOutcome(SubmitResult.AlreadyThere);
        var differs = known.SpecJson == submission.SpecJson ? "other options" : "another content";
        return new SubmitOutcome(SubmitResult.IdTaken, $"Job {Id} was submitted before with {differs}; choose another id.");
    }

    private JobReport Report() => new(Id, Spec.Name, State.Phase, lastStep, totalSteps, State.Generation, State.Phase switch
    {
        JobPhase.Queued => $"waits for {Math.Max(1, store.State.Submission!.Options.Silos)} silo(s) that run no other job",
        JobPhase.Failed => State.Failure!.Message,
        _ => "",
    }, store.State.Submission!.User, store.State.Submission.Options.Priority, HasRanks ? State.WorldSize : 0, HasRanks ? [.. store.State.Plan.Select(p => p.Silo.Name)] : []);
}
