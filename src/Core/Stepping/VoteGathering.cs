using Distributed.Core.Jobs;

namespace Distributed.Core.Stepping;

/// <summary>The votes of one generation, step by step: decides once every silo has voted, and only if all are equal.</summary>
/// <remarks>Soft state of one coordinator, not thread-safe. Starts at whatever step the first vote is for, so a new coordinator
/// rebuilds itself from the votes that are asked again.</remarks>
/// <param name="decide">Called once per step, when the last vote has come.</param>
public sealed class VoteGathering(Generation generation, IEnumerable<string> silos, Func<StepVote, StepDecision> decide)
{
    private readonly SortedSet<string> members = new(silos, StringComparer.Ordinal);
    private readonly SortedSet<string> arrived = new(StringComparer.Ordinal);
    private (string Silo, StepVote Vote)? open;
    private (string Silo, StepVote Vote, StepDecision Decision)? last;
    private VoteOutcome.Unequal? broken;

    /// <summary>Silos that have not voted on the step under way, in ordinal order; none when no step is under way.</summary>
    public IReadOnlyList<string> Missing => open is null ? [] : [.. members.Except(arrived)];

    /// <summary>Takes a vote. The same vote again gives the same answer; after unequal votes every answer is that one.</summary>
    public VoteOutcome Add(string silo, StepVote vote)
    {
        if (broken is not null) return broken;
        if (!members.Contains(silo))
            return new VoteOutcome.Stale(
                $"Step {vote.Step}: silo {silo} is not a member of generation {generation}; its members are {string.Join(", ", members)}.");
        if (vote.Generation != generation)
            return new VoteOutcome.Stale(
                $"Step {vote.Step}: silo {silo} voted in generation {vote.Generation}; the current one is {generation}.");
        if (last is { } decided && vote.Step == decided.Vote.Step)
            return Compare(decided.Silo, decided.Vote, silo, vote) ?? (VoteOutcome)new VoteOutcome.Decided(decided.Decision);
        var expected = open?.Vote.Step ?? last?.Vote.Step + 1 ?? vote.Step;
        if (vote.Step != expected)
            return new VoteOutcome.Stale($"Silo {silo} voted on step {vote.Step}; generation {generation} is at step {expected}.");
        return Take(silo, vote);
    }

    private VoteOutcome Take(string silo, StepVote vote)
    {
        open ??= (silo, vote);
        if (Compare(open.Value.Silo, open.Value.Vote, silo, vote) is { } unequal) return unequal;
        arrived.Add(silo);
        if (arrived.Count < members.Count) return new VoteOutcome.Waiting(Missing);
        var decision = decide(vote);
        last = (open.Value.Silo, open.Value.Vote, decision);
        open = null;
        arrived.Clear();
        return new VoteOutcome.Decided(decision);
    }

    private VoteOutcome.Unequal? Compare(string firstSilo, StepVote first, string secondSilo, StepVote second)
    {
        if (VoteComparison.FirstDifference(first, second) is not { } difference) return null;
        broken = new($"Step {first.Step}, generation {generation}: the votes of silos {firstSilo} and {secondSilo} differ in "
            + $"{difference.Field}: {difference.First} and {difference.Second}. Replicas have diverged; resume from the last checkpoint.");
        return broken;
    }
}
