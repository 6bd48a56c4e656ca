using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Orleans.Concurrency;

namespace Distributed.Grains.Contracts;

/// <summary>A job that wants silos.</summary>
/// <param name="Generation">The one it will open; leases bear it, so that an older one's are told apart.</param>
/// <param name="Silos">Silos it wants, no more and no less; 0: as few as have the slots.</param>
/// <param name="MinRanks">Fewest ranks it runs with.</param>
/// <param name="MaxRanks">Most ranks it can use; they share cores where <paramref name="Silos"/> is fixed.</param>
/// <param name="OneSilo">More silos than one only for <paramref name="MinRanks"/>: the job names no number of ranks.</param>
/// <param name="Since">When it was first lined up; a job that comes back keeps its place.</param>
[GenerateSerializer, Immutable]
public sealed record QueuedJob(
    [property: Id(0)] JobId JobId,
    [property: Id(1)] string User,
    [property: Id(2)] int Priority,
    [property: Id(3)] Generation Generation,
    [property: Id(4)] int Silos,
    [property: Id(5)] int MinRanks,
    [property: Id(6)] int MaxRanks,
    [property: Id(7)] bool OneSilo,
    [property: Id(8)] DateTimeOffset Since)
{
    /// <summary>
    /// Silos where it failed by no fault of its own, as far as one can tell; it goes there again when the others do not remain.
    /// </summary>
    [Id(9)]
    public ImmutableArray<SiloFault> Faults { get; init; } = [];

    /// <summary>Files that it reads.</summary>
    [Id(10)]
    public string Inputs { get; init; } = "";

    /// <summary>
    /// Of the silos that it ran on last: with others of that kind it goes on with the same bits. Null: it did not run yet.
    /// </summary>
    [Id(11)]
    public string? Fingerprint { get; init; }

    /// <summary>Bytes that it takes on a silo at the least, with one rank there.</summary>
    [Id(12)]
    public double Memory { get; init; }

    /// <summary>Bytes that each further rank on the silo adds.</summary>
    [Id(13)]
    public double MemoryPerRank { get; init; }

    /// <summary>Whether another entry asks for the same.</summary>
    public bool AsksAs(QueuedJob? other) => other is not null && this == other with { Faults = Faults };
}
