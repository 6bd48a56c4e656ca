using Distributed.Core.LossScaling;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Core.Stepping;

/// <summary>Decides a step for all replicas at once.</summary>
public static class StepDecider
{
    /// <summary>Steps after which a dynamic loss scale has found its place, so that from then on every skipped step counts.</summary>
    public const long SettledSteps = 100;

    /// <summary>What to do with the step voted on: a pure function, so asking again gives the same.</summary>
    /// <param name="totalSteps">Steps of the whole job, for the schedule.</param>
    /// <param name="requested">A wish of the owner, passed on to all ranks.</param>
    /// <remarks>A norm that is not finite skips the step like a non-finite element: its cause is the same.</remarks>
    public static StepDecision Decide(JobSpec spec, long totalSteps, ILossScalePolicy policy, StepVote vote, StepControl requested)
    {
        var before = vote.Before;
        var commit = !vote.FoundInf && double.IsFinite(vote.NormSquared);
        var (scaling, failure) = Move(policy, before.LossScale, !commit);
        var skips = commit || IsExplained(vote, scaling) ? before.Skips : before.Skips.With(vote.Step, vote.NonFinite);
        var after = new TrainerState(vote.Step, before.Updates + (commit ? 1 : 0), scaling, skips)
        {
            RecentSkips = before.RecentSkipsWith(!commit),
        };
        failure ??= TooMany(spec.LossScale ?? new LossScaleSpec(), after, totalSteps);
        return new(
            vote.Step,
            commit,
            after,
            commit ? Clip(spec.ClipNorm, vote.NormSquared) : 1,
            spec.Schedule.Options.LearningRate(spec.Optimizer.Options.Lr, before.Updates, totalSteps),
            requested,
            failure is null ? null : Explain(spec, vote, after, failure));
    }

    /// <summary>
    /// Whether a skipped step is part of a scaler's search: the loss is finite, and the scale, above 1, gives way or will.
    /// </summary>
    /// <remarks>At 1 or less the gradient itself overflows, and no scale makes up for a loss that is not finite.</remarks>
    private static bool IsExplained(StepVote vote, LossScaleState after)
    {
        var before = vote.Before.LossScale;
        var givesWay = after.Scale < before.Scale || (after.Hysteresis < before.Hysteresis && after.Hysteresis >= 1);
        return double.IsFinite(vote.LossSum) && before.Scale > 1 && givesWay;
    }

    /// <remarks>A job that is too short to settle is judged at its end, by the steps that its scaler's search does not explain.</remarks>
    private static string? TooMany(LossScaleSpec limits, TrainerState after, long totalSteps)
    {
        if (after.LossScale.ConsecutiveSkips >= limits.MaxConsecutiveSkips)
            return $"{after.LossScale.ConsecutiveSkips} steps in a row skipped, the limit of lossScale.maxConsecutiveSkips.";
        var settled = after.Step >= SettledSteps;
        if (!settled && after.Step < totalSteps) return null;
        var counted = settled ? after.SkippedSteps : after.Skips.Unexplained;
        if (counted > limits.MaxSkippedShare * after.Step)
            return FormattableString.Invariant(
                $"{counted} of {after.Step} steps skipped, more than the share of lossScale.maxSkippedShare, {limits.MaxSkippedShare}.");
        // A long job that turns bad is not judged by how well it once went. The margin is for the rounding of the mean.
        return after.Step > TrainerState.RecentSteps && after.RecentSkips > limits.MaxSkippedShare + 1e-9
            ? FormattableString.Invariant($"{after.RecentSkips:P0} of the latest steps (some {TrainerState.RecentSteps}) skipped, ")
                + FormattableString.Invariant($"more than the share of lossScale.maxSkippedShare, {limits.MaxSkippedShare}.")
            : null;
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

    private static string Explain(JobSpec spec, StepVote vote, TrainerState after, string failure)
    {
        var (step, parameter) = after.Skips.Unexplained > 0
            ? (after.Skips.FirstStep, after.Skips.FirstParameter)
            : (vote.Step, vote.NonFinite);
        var since = step == vote.Step ? "" : FormattableString.Invariant($"since step {step} ");
        var culprit = parameter is { } name
            ? $"the gradient of '{name}' is the first that is not finite"
            : "the gradient norm is not finite";
        var remedy = "Lower optimizer.lr, set clipNorm, check the data for non-finite values"
            + (spec.Precision == Precision.Float32 ? "." : ", or train in float32.");
        return FormattableString.Invariant(
            $"Step {vote.Step}, loss scale {vote.Before.LossScale.Scale}: {since}{culprit}. {failure} {remedy}");
    }
}
