using Distributed.Core.Stepping;
using Distributed.Grains.Coordination;
using Distributed.Training.Loop;

namespace Distributed.Silo.Ranks;

/// <summary>Votes with the coordinator grain from a rank thread.</summary>
internal sealed class CoordinatorDecider(ICoordinatorGrain coordinator, string silo, TimeSpan stepDeadline, CoordinatorWait wait) : IStepDecider
{
    private long totalSteps;

    /// <value>Steps the job will run; 0 before the first vote.</value>
    public long TotalSteps => Volatile.Read(ref totalSteps);

    public StepDecision Decide(StepVote vote, long totalSteps)
    {
        Volatile.Write(ref this.totalSteps, totalSteps);
        var reply = wait.For(coordinator.Vote(silo, totalSteps, vote), stepDeadline, $"Step {vote.Step}, silo {silo}");
        return reply.Decision ?? throw new JobErrorException(reply.Error!);
    }
}
