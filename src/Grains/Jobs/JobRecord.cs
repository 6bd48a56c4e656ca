using Distributed.Grains.Placement;

namespace Distributed.Grains.Jobs;

/// <summary>A job as it is stored: what was submitted, how far it came, and where its ranks run.</summary>
internal sealed class JobRecord
{
    public JobSubmission? Submission { get; set; }

    public JobState State { get; set; } = new();

    /// <summary>Places of the current generation's ranks.</summary>
    public IReadOnlyList<SiloRanks> Plan { get; set; } = [];
}
