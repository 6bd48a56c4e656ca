using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
using Distributed.Silo.Exchange;
using Distributed.Training.Exchange;
using Distributed.Training.Loop;

namespace Distributed.Silo.Ranks;

/// <summary>Votes with the coordinator grain from a rank thread.</summary>
/// <param name="silo">This one.</param>
/// <param name="seat">The silo of rank 0, which holds the coordinator.</param>
internal sealed class CoordinatorDecider(
    ICoordinatorGrain coordinator, IJobGrain job, Generation generation, string silo, string seat, TimeSpan stepDeadline,
    CoordinatorWait wait, TimeProvider time) : IStepDecider
{
    private static readonly TimeSpan ConfirmDeadline = TimeSpan.FromSeconds(30);

    private long totalSteps;

    /// <value>Steps the job will run; 0 before the first vote.</value>
    public long TotalSteps => Volatile.Read(ref totalSteps);

    public StepDecision Decide(StepVote vote, long totalSteps)
    {
        Volatile.Write(ref this.totalSteps, totalSteps);
        var reply = wait.For(coordinator.Vote(silo, totalSteps, vote), stepDeadline, $"Step {vote.Step}, silo {silo}", seat);
        return reply.Decision ?? throw new JobErrorException(reply.Error!);
    }

    public void Confirm(long step)
    {
        // The job's grain may be on any silo, also on one without a rank of it: when that one is lost, the grain wakes elsewhere.
        if (wait.Insist(() => job.Confirm(generation, step), ConfirmDeadline, time, $"Checkpoint of step {step}, silo {silo}")
            is { } refusal)
            throw new JobErrorException(refusal);
    }
}
