using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;

namespace Distributed.Grains.Queue;

/// <summary>A silo as the queue sees it.</summary>
/// <param name="Holder">The job that holds its slots; null when none does.</param>
/// <param name="Draining">It leaves and takes no more ranks.</param>
internal sealed record QueueSilo(LeasedSilo Silo, JobId? Holder, bool Draining);

/// <summary>A job that holds silos.</summary>
internal sealed record QueueHolder(JobId JobId, string User, int Ranks, ImmutableArray<LeasedSilo> Silos)
{
    /// <summary>What it would ask for if it lined up again; null: it stays as it is.</summary>
    public QueuedJob? Next { get; init; }
}

/// <summary>Silos that a job is to get now, in rank order.</summary>
internal sealed record QueueGrant(QueuedJob Job, int Ranks, ImmutableArray<LeasedSilo> Silos);

/// <summary>Who may begin, and why each of the others waits.</summary>
/// <param name="Reasons">By job id; the granted ones have none.</param>
internal sealed record QueuePlan(IReadOnlyList<QueueGrant> Grants, IReadOnlyDictionary<JobId, JobFinding> Reasons)
{
    /// <summary>Jobs that could begin but for silos that others hold; those of highest priority first, of equal ones in line.</summary>
    public IReadOnlyList<QueuedJob> Blocked { get; init; } = [];

    /// <summary>Somebody waits for silos that others hold.</summary>
    public bool IsContended { get; init; }
}
