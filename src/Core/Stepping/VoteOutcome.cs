namespace Distributed.Core.Stepping;

/// <summary>What a vote led to.</summary>
public abstract record VoteOutcome
{
    private VoteOutcome()
    {
    }

    /// <summary>Taken; these silos have not voted on the step yet.</summary>
    public sealed record Waiting(IReadOnlyList<string> Missing) : VoteOutcome;

    /// <summary>All silos voted alike, now or before.</summary>
    public sealed record Decided(StepDecision Decision) : VoteOutcome;

    /// <summary>Two silos disagree; the generation cannot go on.</summary>
    public sealed record Unequal(string Message) : VoteOutcome;

    /// <summary>Of another generation or step, or of a silo that is no member; not counted.</summary>
    public sealed record Stale(string Message) : VoteOutcome;
}
