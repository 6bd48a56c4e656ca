using Distributed.Core.Stepping;

namespace Distributed.Training.Loop;

/// <summary>What the user hears of skipped steps that the search for a loss scale does not explain.</summary>
internal static class SkipWarnings
{
    private const string Remedy = "Lower optimizer.lr, set clipNorm, or look for values in the data that are not finite.";

    /// <summary>At the first such step of the job.</summary>
    /// <returns>Null: there is none.</returns>
    public static string? AtTheFirst(StepVote vote, TrainerState after)
    {
        if (after.Skips.Unexplained == 0) return null;
        var reason = double.IsFinite(vote.LossSum)
            ? FormattableString.Invariant($"the loss scale, {vote.Before.LossScale.Scale}, is not what makes it so")
            : "the loss itself is not finite, which no loss scale can correct";
        return $"Step {vote.Step} was skipped: {Culprit(after.Skips)}, and {reason}. "
            + $"{Remedy} lossScale.maxSkippedShare says how many such steps are too many.";
    }

    /// <summary>When the job ends, or stops.</summary>
    /// <returns>Null: none, or one that was told of.</returns>
    public static string? AtTheEnd(TrainerState state) => state.Skips.Unexplained < 2 ? null
        : $"{state.SkippedSteps} of {state.Step} steps were skipped, {state.Skips.Unexplained} of them not because of the loss scale, "
            + $"first in step {state.Skips.FirstStep}: {Culprit(state.Skips)}. {Remedy}";

    private static string Culprit(SkipTally skips) => skips.FirstParameter is { } name
        ? $"the gradient of '{name}' is the first that is not finite" : "the gradient norm is not finite";
}
