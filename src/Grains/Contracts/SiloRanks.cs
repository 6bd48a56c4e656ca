using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Distributed.Grains.Contracts;

/// <summary>A silo whose slots belong to one job for now.</summary>
[GenerateSerializer, Immutable]
public sealed record LeasedSilo([property: Id(0)] SiloAddress Address, [property: Id(1)] string Name, [property: Id(2)] int Slots)
{
    /// <summary>What its machine and build are: ranks of one job give the same bits only on silos where this is equal.</summary>
    [Id(3)]
    public string Fingerprint { get; init; } = "";

    /// <summary>Bytes that its ranks may use; 0: it did not say.</summary>
    [Id(4)]
    public long Memory { get; init; }
}

/// <param name="Device">Device slot, such as <c>cpu:0</c>.</param>
[GenerateSerializer, Immutable]
public readonly record struct PlacedRank([property: Id(0)] Rank Rank, [property: Id(1)] string Device);

/// <summary>How many ranks of a generation a silo runs.</summary>
[GenerateSerializer, Immutable]
public readonly record struct SiloShare([property: Id(0)] string Silo, [property: Id(1)] int Ranks);

/// <summary>The ranks of one generation on one silo.</summary>
[GenerateSerializer, Immutable]
public sealed record SiloRanks([property: Id(0)] LeasedSilo Silo, [property: Id(1)] ImmutableArray<PlacedRank> Ranks);
