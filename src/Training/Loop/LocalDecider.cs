using Distributed.Core.LossScaling;
using Distributed.Core.Spec;
using Distributed.Core.Stepping;

namespace Distributed.Training.Loop;

/// <summary>
/// Decides for a job of one silo on the spot: what the coordinator does, without a cluster. For tests and in-process use.
/// </summary>
internal sealed class LocalDecider(JobSpec spec) : IStepDecider
{
    private readonly ILossScalePolicy policy = JobLossScale.For(spec);

    public StepControl Requested { get; set; }

    public StepDecision Decide(StepVote vote, long totalSteps) => StepDecider.Decide(spec, totalSteps, policy, vote, Requested);
}
