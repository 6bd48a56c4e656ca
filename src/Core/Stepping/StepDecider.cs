using Distributed.Core.Jobs;
using Distributed.Core.Scaling;

namespace Distributed.Core.Stepping;

/// <summary>Decides a step for all replicas at once.</summary>
public static class StepDecider
{
    /// <summary>What to do with the step voted on: a pure function, so whoever asks again gets the same.</summary>
    /// <param name="totalSteps">Steps of the whole job, for the schedule.</param>
    /// <param name="requested">A wish of the owner, passed on to all ranks.</param>
    /// <remarks>A norm that is not finite skips the step like a non-finite element: its cause is the same.</remarks>
    public static StepDecision Decide(JobSpec spec, long totalSteps, ILossScalePolicy policy, StepVote vote, StepControl requested)
    {
        var before = vote.Before;
        var commit = !vote.FoundInf && double.IsFinite(vote.NormSquared);
        var (scaling, failure) = Move(policy, before.Scaling, !commit);
        var most = spec.LossScale?.MaxConsecutiveSkips ?? new LossScaleSpec().MaxConsecutiveSkips;
        if (failure is null && scaling.ConsecutiveSkips >= most)
            failure = $"{scaling.ConsecutiveSkips} steps in a row skipped, the limit of lossScale.maxConsecutiveSkips.";
        return new(
            vote.Step,
            commit,
            new(vote.Step, before.Updates + (commit ? 1 : 0), scaling),
            commit ? Clip(spec.ClipNorm, vote.NormSquared) : 1,
            Schedule.LearningRate(spec.Schedule, spec.Optimizer.Lr, before.Updates, totalSteps),
            requested,
            failure is null ? null : Explain(vote, failure));
    }

    private static (LossScaleState After, string? Failure) Move(ILossScalePolicy policy, LossScaleState state, bool foundInf)
    {
        try
        {
            return (policy.Next(state, foundInf), null);
        }
        catch (LossScaleException e)
        {
            return (state with { ConsecutiveSkips = state.ConsecutiveSkips + 1 }, e.Message);
        }
    }

    /// <remarks>Rule: torch.nn.utils.clip_grad_norm_.</remarks>
    private static float Clip(double? clipNorm, double normSquared) =>
        clipNorm is { } most ? (float)Math.Min(1, most / (Math.Sqrt(normSquared) + 1e-6)) : 1;

    private static string Explain(StepVote vote, string failure)
    {
        var culprit = vote.NonFinite is { } name ? $"the gradient of '{name}' is the first that is not finite" : "the gradient norm is not finite";
        return FormattableString.Invariant(
            $"Step {vote.Step}, loss scale {vote.Before.Scaling.Scale}: {culprit}. {failure} Lower optimizer.lr, set clipNorm, check the data for non-finite values, or train in float32.");
    }
}
