using System.Collections.Immutable;

namespace Distributed.Grains.Devices;

/// <summary>All jobs of the cluster, as stored.</summary>
[GenerateSerializer]
internal sealed record QueueRecord
{
    /// <summary>In the order in which they first lined up.</summary>
    [Id(0)]
    public ImmutableArray<QueueEntry> Jobs { get; init; } = [];

    /// <summary>The list with one job added or changed.</summary>
    /// <param name="user">Null: as known.</param>
    public QueueRecord With(string jobId, bool ended, string? user = null)
    {
        var at = IndexOf(jobId);
        var entry = new QueueEntry(jobId, ended) { User = user ?? (at < 0 ? "" : Jobs[at].User ?? "") };
        return at < 0 ? this with { Jobs = Jobs.Add(entry) } : Jobs[at] == entry ? this : this with { Jobs = Jobs.SetItem(at, entry) };
    }

    /// <summary>The list with one of its jobs ended; one that was taken off it stays off.</summary>
    public QueueRecord Ended(string jobId) => IndexOf(jobId) < 0 ? this : With(jobId, ended: true);

    public QueueRecord Without(string jobId) => IndexOf(jobId) is >= 0 and var at ? this with { Jobs = Jobs.RemoveAt(at) } : this;

    private int IndexOf(string jobId)
    {
        for (var i = 0; i < Jobs.Length; i++)
            if (Jobs[i].JobId == jobId) return i;
        return -1;
    }
}

/// <param name="Ended">It neither waits nor runs, unless it is resumed.</param>
[GenerateSerializer]
internal readonly record struct QueueEntry([property: Id(0)] string JobId, [property: Id(1)] bool Ended)
{
    /// <summary>Whose it is; empty or null: not known.</summary>
    [Id(2)]
    public string? User { get; init; }
}
