using Distributed.Core;
using Distributed.Core.Jobs;
using Distributed.Core.Scaling;
using Distributed.Core.Stepping;

namespace Distributed.Training.Loop;

/// <summary>Decides for a job of one silo on the spot: what the coordinator does, without a cluster. For tests and in-process use.</summary>
internal sealed class LocalDecider(JobSpec spec) : IStepDecider
{
    private readonly ILossScalePolicy policy = LossScalePolicies.For(spec);

    public StepControl Requested { get; set; }

    public StepDecision Decide(StepVote vote, long totalSteps) => StepDecider.Decide(spec, totalSteps, policy, vote, Requested);
}
