using Distributed.Core.Jobs;

namespace Distributed.Core.Stepping;

/// <summary>One silo's report on a step, sent only when it holds the whole reduced gradient; global values, equal on all silos.</summary>
/// <param name="Generation">Membership epoch; a vote of another one is refused.</param>
/// <param name="Before">The voter's state before the step; the step voted on is <c>Before.Step + 1</c>.</param>
/// <param name="FoundInf">Some element of the reduced gradient is not finite.</param>
/// <param name="NormSquared">Squared global L2 norm of the unscaled mean gradient, folded in block order.</param>
/// <param name="LossSum">Sum of the sample losses of the global batch, folded in the canonical tree.</param>
/// <param name="Items">Samples of the global batch.</param>
/// <param name="NonFinite">First parameter with a non-finite gradient, in parameter order; null when all are finite.</param>
public sealed record StepVote(
    Generation Generation, TrainerState Before, bool FoundInf, double NormSquared, double LossSum, long Items, string? NonFinite)
{
    public long Step => Before.Step + 1;
}
