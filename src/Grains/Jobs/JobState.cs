using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Orleans.Concurrency;

namespace Distributed.Grains.Jobs;

/// <summary>What a job's life so far comes to; immutable and stored.</summary>
[GenerateSerializer, Immutable]
internal sealed record JobState
{
    [Id(0)]
    public JobPhase Phase { get; init; } = JobPhase.Absent;

    /// <value>0 before the job first ran.</value>
    [Id(1)]
    public int Generation { get; init; }

    /// <summary>Ranks of the current generation.</summary>
    [Id(2)]
    public int WorldSize { get; init; }

    /// <summary>How the ranks that have ended did so.</summary>
    [Id(3)]
    public IReadOnlyDictionary<int, Workers.RankOutcome> Ended { get; init; } = new Dictionary<int, Workers.RankOutcome>();

    [Id(4)]
    public StepControl Requested { get; init; }

    /// <summary>The completed or stopped event that the ranks sent; it enters the log once all of them have ended.</summary>
    [Id(5)]
    public EventLine? Announced { get; init; }

    /// <summary>The first failure.</summary>
    [Id(6)]
    public JobError? Failure { get; init; }
}
