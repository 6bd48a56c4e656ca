using Distributed.Core.Events;
using Distributed.Core.Stepping;

namespace Distributed.Grains.Jobs;

/// <summary>What a job's life so far comes to; immutable and stored.</summary>
internal sealed record JobState
{
    public JobPhase Phase { get; init; } = JobPhase.Absent;

    /// <value>0 before the job first ran.</value>
    public int Generation { get; init; }

    /// <summary>Ranks of the current generation.</summary>
    public int WorldSize { get; init; }

    /// <summary>How the ranks that have ended did so.</summary>
    public IReadOnlyDictionary<int, Workers.RankOutcome> Ended { get; init; } = new Dictionary<int, Workers.RankOutcome>();

    public StepControl Requested { get; init; }

    /// <summary>The completed or stopped event that the ranks sent; it enters the log once all of them have ended.</summary>
    public EventLine? Announced { get; init; }

    /// <summary>The first failure.</summary>
    public JobError? Failure { get; init; }
}
