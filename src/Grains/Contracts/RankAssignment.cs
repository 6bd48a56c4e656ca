using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Placement;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>All that a silo needs to run one rank of one generation.</summary>
[GenerateSerializer, Immutable]
public sealed record RankAssignment
{
    [Id(0)]
    public required JobId JobId { get; init; }

    [Id(1)]
    public required Generation Generation { get; init; }

    /// <summary>The job in canonical JSON.</summary>
    [Id(2)]
    public required string SpecJson { get; init; }

    /// <summary>Name of the silo that runs the rank.</summary>
    [Id(3)]
    public required string Silo { get; init; }

    [Id(4)]
    public required Rank Rank { get; init; }

    /// <summary>Ranks of the whole job.</summary>
    [Id(5)]
    public required int WorldSize { get; init; }

    /// <summary>All ranks of this generation on this silo, ascending.</summary>
    [Id(6)]
    public required ImmutableArray<PlacedRank> LocalRanks { get; init; }

    [Id(7)]
    public bool Resume { get; init; }

    [Id(8)]
    public long StopAt { get; init; }

    /// <summary>Longest wait for the other silos at a step.</summary>
    [Id(9)]
    public required TimeSpan StepDeadline { get; init; }

    /// <summary>All silos of the generation, in rank order.</summary>
    [Id(10)]
    public required ImmutableArray<SiloShare> Silos { get; init; }

    /// <summary>Longest wait for the other silos to come to the first meeting.</summary>
    [Id(11)]
    public required TimeSpan MeetDeadline { get; init; }
}
