using System.Collections.Immutable;
using Distributed.Core.Jobs;

namespace Distributed.Grains.Queue;

/// <summary>Where the list of all jobs is stored; see <see cref="QueueList"/>.</summary>
[GenerateSerializer]
internal sealed record QueueRecord
{
    /// <summary>The whole list, as earlier versions stored it; empty once it is in pages.</summary>
    [Id(0)]
    public ImmutableArray<QueueEntry> Jobs { get; init; } = [];

    [Id(1)]
    public int Pages { get; init; }
}

/// <summary>Some jobs of the cluster, in the order in which they first lined up.</summary>
[GenerateSerializer]
internal sealed record QueuePage
{
    [Id(0)]
    public ImmutableArray<QueueEntry> Jobs { get; init; } = [];
}

/// <param name="Ended">It neither waits nor runs, unless it is resumed.</param>
[GenerateSerializer]
internal readonly record struct QueueEntry([property: Id(0)] JobId JobId, [property: Id(1)] bool Ended)
{
    /// <summary>Whose it is; empty or null: not known.</summary>
    [Id(2)]
    public string? User { get; init; }
}
