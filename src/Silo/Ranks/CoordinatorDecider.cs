using Distributed.Core.Stepping;
using Distributed.Grains.Coordination;
using Distributed.Grains.Jobs;
using Distributed.Training.Loop;

namespace Distributed.Silo.Ranks;

/// <summary>Votes with the coordinator grain from a rank thread.</summary>
internal sealed class CoordinatorDecider(ICoordinatorGrain coordinator, IJobGrain job, int generation, string silo, TimeSpan stepDeadline, CoordinatorWait wait) : IStepDecider
{
    private static readonly TimeSpan ConfirmDeadline = TimeSpan.FromSeconds(20);

    private long totalSteps;

    /// <value>Steps the job will run; 0 before the first vote.</value>
    public long TotalSteps => Volatile.Read(ref totalSteps);

    public StepDecision Decide(StepVote vote, long totalSteps)
    {
        Volatile.Write(ref this.totalSteps, totalSteps);
        var reply = wait.For(coordinator.Vote(silo, totalSteps, vote), stepDeadline, $"Step {vote.Step}, silo {silo}");
        return reply.Decision ?? throw new JobErrorException(reply.Error!);
    }

    public void Confirm(long step)
    {
        if (wait.For(job.Confirm(generation, step), ConfirmDeadline, $"Checkpoint of step {step}, silo {silo}") is { } refusal) throw new JobErrorException(refusal);
    }
}
