using System.Collections.Immutable;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;

namespace Distributed.Grains.Jobs;

/// <summary>A job as it is stored: what was submitted, how far it came, and where its ranks run.</summary>
[GenerateSerializer]
internal sealed record JobRecord
{
    [Id(0)]
    public JobSubmission? Submission { get; init; }

    [Id(1)]
    public JobState State { get; init; } = new();

    /// <summary>Places of the current generation's ranks.</summary>
    [Id(2)]
    public ImmutableArray<SiloRanks> Plan { get; init; } = [];

    /// <summary>Activations of the job's grain that wrote to its journals.</summary>
    [Id(3)]
    public long Epoch { get; init; }
}
