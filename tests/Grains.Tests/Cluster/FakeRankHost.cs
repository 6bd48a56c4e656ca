using System.Collections.Concurrent;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Samples;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Orleans.Runtime;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Ranks without a trainer: the silo's first rank votes step by step, the others end with it.</summary>
internal sealed class FakeRankHost(IGrainFactory grains, FakeScripts scripts, ILocalSiloDetails local) : IRankHost
{
    private readonly ConcurrentDictionary<(JobId Job, Generation Generation), Session> sessions = new();

    private int running;

    public bool IsBusy => Volatile.Read(ref running) > 0;

    public string? Lacks(JobId jobId, string specJson) => scripts.Of(jobId.ToString()).Lacks(local.Name);

    public async Task<RankEnd> Run(RankAssignment assignment)
    {
        Interlocked.Increment(ref running);
        try
        {
            return await Follow(assignment);
        }
        finally
        {
            Interlocked.Decrement(ref running);
        }
    }

    private async Task<RankEnd> Follow(RankAssignment assignment)
    {
        var session = sessions.GetOrAdd(
            (assignment.JobId, assignment.Generation), _ => new Session(grains, scripts.Of(assignment.JobId.ToString()), assignment));
        session.Joined.AddOrUpdate(assignment.Rank.Value, 1, (_, n) => n + 1);
        var (outcome, error) = await session.Ending.Value;
        return new RankEnd(assignment.Generation, assignment.Rank, outcome, error);
    }

    public void Abort(JobId jobId, Generation generation, JobError reason, bool atOnce = false)
    {
        scripts.Of(jobId.ToString()).Aborts.Enqueue((generation, atOnce));
        if (sessions.TryGetValue((jobId, generation), out var session)) session.Aborted.TrySetResult(reason);
    }

    private sealed class Session
    {
        private readonly IGrainFactory grains;
        private readonly FakeScript script;
        private readonly RankAssignment assignment;
        private long sent;

        public Session(IGrainFactory grains, FakeScript script, RankAssignment assignment)
        {
            (this.grains, this.script, this.assignment) = (grains, script, assignment);
            Ending = new Lazy<Task<(RankOutcome, JobError?)>>(() => Task.Run(Train));
        }

        public ConcurrentDictionary<int, int> Joined { get; } = new();

        public TaskCompletionSource<JobError> Aborted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Lazy<Task<(RankOutcome Outcome, JobError? Error)>> Ending { get; }

        private async Task<(RankOutcome, JobError?)> Train()
        {
            if (script.Fault(assignment.Silo) is { } fault) return (RankOutcome.Failed, fault);
            var total = SpecText.Parse(assignment.SpecJson).Steps!.Value;
            // What a checkpoint would hold: the step after which the one before ended on demand.
            if (script.Data is { } data) await Send(new DataEvent(data));
            var state = assignment.Resume ? script.Saved : Specs.Fresh;
            while (state.Step < total)
            {
                if (script.Gates.TryGetValue(state.Step + 1, out var gate) && await Task.WhenAny(gate.Task, Aborted.Task) == Aborted.Task)
                    return (RankOutcome.Failed, await Aborted.Task);
                var vote = script.Vote(assignment.Silo, Specs.Vote(state, assignment.Generation.Value));
                if (vote is null) return (RankOutcome.Failed, await Aborted.Task);
                script.Votes.Enqueue((assignment.Generation, vote.Step));
                var reply = await grains.GetGrain<ICoordinatorGrain>(CoordinatorKey.Of(assignment.JobId, assignment.Generation))
                    .Vote(assignment.Silo, total, vote);
                if (reply.Decision is not { } decision) return (RankOutcome.Failed, reply.Error);
                script.Decisions.Enqueue((assignment.Silo, decision));
                state = decision.After;
                await Send(new WarningEvent($"step {state.Step}"), state.Step);
                if (decision.Control == StepControl.GoOn) continue;
                script.Saved = state;
                await Send(new StoppedEvent(state.Step, "ab", "here"));
                return (RankOutcome.Stopped, null);
            }

            await Send(new CompletedEvent(state.Step, 1, "ab", 0, 1, 1, "here"));
            return (RankOutcome.Completed, null);
        }

        private Task Send(JobEvent jobEvent, long step = 0)
        {
            var line = EventLine.Of(jobEvent);
            return assignment.LocalRanks[0].Rank.Value != 0 ? Task.CompletedTask : grains.GetJob(assignment.JobId)
                .Append(new EventBatch(assignment.Generation, assignment.Silo, sent++, [step > 0 ? line with { Step = step } : line], 0));
        }
    }
}

/// <summary>What the fake ranks of each job do; one for all silos of a cluster.</summary>
internal sealed class FakeScripts
{
    private readonly ConcurrentDictionary<string, FakeScript> scripts = new();

    public FakeScript Of(string jobId) => scripts.GetOrAdd(jobId, _ => new FakeScript());
}

internal sealed class FakeScript
{
    /// <summary>Steps that wait for the test.</summary>
    public ConcurrentDictionary<long, TaskCompletionSource> Gates { get; } = new();

    public ConcurrentQueue<(string Silo, StepDecision Decision)> Decisions { get; } = new();

    /// <summary>Votes that were sent, of all silos.</summary>
    public ConcurrentQueue<(Generation Generation, long Step)> Votes { get; } = new();

    /// <summary>Ranks that were told to end.</summary>
    public ConcurrentQueue<(Generation Generation, bool AtOnce)> Aborts { get; } = new();

    /// <summary>What the ranks say that they read; null: nothing.</summary>
    public DataSummary? Data { get; set; }

    public TrainerState Saved { get; set; } = Specs.Fresh;

    /// <summary>Changes a silo's vote; null: it falls silent until it is aborted.</summary>
    public Func<string, StepVote, StepVote?> Vote { get; set; } = (_, vote) => vote;

    /// <summary>What keeps a silo from running it; null: nothing.</summary>
    public Func<string, JobError?> Fault { get; set; } = _ => null;

    /// <summary>What a silo says that asked for the job's files; null: it has them.</summary>
    public Func<string, string?> Lacks { get; set; } = _ => null;

    public TaskCompletionSource Hold(long step) =>
        Gates.GetOrAdd(step, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
