using Distributed.Core;
using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Distributed.Grains.Coordination;
using Distributed.Training.Loop;
using Orleans.Runtime;

namespace Distributed.Silo.Ranks;

/// <summary>Asks the coordinator grain from a rank thread and blocks that thread until the answer, the deadline or an abort.</summary>
internal sealed class CoordinatorDecider(ICoordinatorGrain coordinator, string silo, TimeSpan stepDeadline) : IStepDecider, IDisposable
{
    /// <summary>The coordinator's own deadline comes first: it knows which silos are missing.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource aborted = new();
    private JobError? reason;
    private long totalSteps;

    /// <value>Steps the job will run; 0 before the first vote.</value>
    public long TotalSteps => Volatile.Read(ref totalSteps);

    public StepDecision Decide(StepVote vote, long totalSteps)
    {
        Volatile.Write(ref this.totalSteps, totalSteps);
        var reply = Ask(vote, totalSteps);
        return reply.Decision ?? throw new JobException(reply.Error!.Code, reply.Error.Message);
    }

    /// <summary>Ends the wait of a rank thread, now or at its next vote.</summary>
    public void Abort(JobError error)
    {
        Interlocked.CompareExchange(ref reason, error, null);
        aborted.Cancel();
    }

    public void Dispose() => aborted.Dispose();

    private VoteReply Ask(StepVote vote, long totalSteps)
    {
        try
        {
            var asked = coordinator.Vote(silo, totalSteps, vote);
            if (asked.Wait((int)(stepDeadline + Slack).TotalMilliseconds, aborted.Token)) return asked.Result;
            throw new JobException(ErrorCodes.Deadline, $"Step {vote.Step}, silo {silo}: no decision from the coordinator for {(stepDeadline + Slack).TotalSeconds:0} s; look at the silo that holds the job, then resume from the last checkpoint.");
        }
        catch (OperationCanceledException e)
        {
            throw new JobException(reason!.Code, reason.Message, e);
        }
        catch (AggregateException e) when (e.InnerException is OrleansException or TimeoutException)
        {
            throw new JobException(ErrorCodes.Deadline, $"Step {vote.Step}, silo {silo}: the coordinator cannot be reached ({e.InnerException.Message}); resume from the last checkpoint.", e);
        }
    }
}
