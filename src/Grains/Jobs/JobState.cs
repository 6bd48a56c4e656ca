using System.Collections.Immutable;
using Distributed.Core.Events;
using Distributed.Core.Jobs;
using Distributed.Core.Stepping;
using Distributed.Grains.Contracts;
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
    public Generation Generation { get; init; }

    /// <summary>Ranks of the current generation.</summary>
    [Id(2)]
    public int WorldSize { get; init; }

    /// <summary>How the ranks that have ended did so; by number, as stored records name the type of the keys.</summary>
    [Id(3)]
    public IReadOnlyDictionary<int, RankOutcome> Ended { get; init; } = new Dictionary<int, RankOutcome>();

    [Id(4)]
    public StepControl Requested { get; init; }

    /// <summary>The completed or stopped event that the ranks sent; it enters the log once all of them have ended.</summary>
    [Id(5)]
    public EventLine? Announced { get; init; }

    /// <summary>The first failure.</summary>
    [Id(6)]
    public JobError? Failure { get; init; }

    /// <summary>Lost or leaving silos send the job back to the queue instead of failing it.</summary>
    [Id(7)]
    public bool Requeues { get; init; }

    /// <summary>The next generation goes on from the last checkpoint.</summary>
    [Id(8)]
    public bool Resume { get; init; }

    /// <summary>Set while the ranks end for the job to line up again.</summary>
    [Id(9)]
    public Requeue? Requeue { get; init; }

#pragma warning disable CA1044 // Records of earlier versions are read, and written under the name of today.
    /// <summary>The name under which earlier versions stored <see cref="Requeue"/>.</summary>
    public Requeue? Comeback
    {
        init => Requeue ??= value;
    }
#pragma warning restore CA1044

    /// <summary>Why there was, or will be, another generation.</summary>
    [Id(10)]
    public string? Reason { get; init; }

    /// <summary>Generations in a row that were lost before their first step.</summary>
    [Id(11)]
    public int Fruitless { get; init; }

    /// <summary>The owner asked for the job's end.</summary>
    [Id(12)]
    public bool StopAsked { get; init; }

    /// <summary>Ranks that <c>scale</c> asked for; null: as submitted.</summary>
    [Id(13)]
    public int? Workers { get; init; }

    /// <summary>When it lined up; a job that comes back keeps its place.</summary>
    [Id(14)]
    public DateTimeOffset Since { get; init; }

    /// <summary>Step of the last checkpoint that may be published.</summary>
    [Id(15)]
    public long Confirmed { get; init; }

    /// <summary>When it entered the phase that it is in; null: not known, as of a job of an earlier version.</summary>
    [Id(30)]
    public DateTimeOffset? Entered { get; init; }

    /// <summary>How long its ranks ran before the phase that it is in, since it was submitted or last resumed.</summary>
    [Id(31)]
    public TimeSpan Ran { get; init; }

    /// <summary>Set while the ranks end because the job ran longer than it may.</summary>
    [Id(32)]
    public JobError? Overdue { get; init; }

    /// <summary>Generations that were lost since the last checkpoint.</summary>
    [Id(33)]
    public int Losses { get; init; }

    /// <summary>Silos that died with its ranks since the last checkpoint.</summary>
    [Id(34)]
    public ImmutableArray<string> Died { get; init; } = [];

    /// <summary>Silos that were killed because memory ran out while they ran its ranks, since the last checkpoint.</summary>
    [Id(37)]
    public ImmutableArray<string> Starved { get; init; } = [];

    /// <summary>Losses that the job's owner would have it come back from.</summary>
    /// <value>Null: the cluster's own rule.</value>
    [Id(35)]
    public int? MostLosses { get; init; }

    /// <summary>When its ranks are ended whatever they do, because the job was to end; null: it is not, or they were told so.</summary>
    [Id(36)]
    public DateTimeOffset? EndBy { get; init; }

    /// <summary>Silos whose own fault kept it from running there.</summary>
    [Id(16)]
    public ImmutableArray<SiloFault> Faults { get; init; } = [];
}

/// <summary>A generation that ends for the job to line up again.</summary>
/// <param name="Abrupt">The ranks were told to end at once, without a checkpoint.</param>
[GenerateSerializer, Immutable]
internal sealed record Requeue([property: Id(0)] string Reason, [property: Id(1)] bool Abrupt)
{
    /// <summary>The fault of a silo that led to it; null: it was none.</summary>
    [Id(2)]
    public JobError? Error { get; init; }

    /// <summary>The generation is among <see cref="JobState.Losses"/>.</summary>
    [Id(3)]
    public bool Counted { get; init; }

    /// <summary>The first silo that died with its ranks; null: none is known of.</summary>
    [Id(4)]
    public string? Died { get; init; }
}
