using Distributed.Core.Events;
using Distributed.Core.Stepping;

namespace Distributed.Training.Loop;

/// <summary>
/// What the ranks of a silo lay out for each other during one step, beside the gradients. Written between meetings, read after them.
/// </summary>
internal sealed class StepBoard(int ranks)
{
    /// <summary>By local rank.</summary>
    public PhaseSeconds[] Phases { get; } = new PhaseSeconds[ranks];

    /// <summary>Seconds from the first bucket's leaving the silo to the whole reduced gradient; null where none leaves.</summary>
    public double? ExchangeSeconds { get; set; }

    /// <summary>When the silo's first rank began the step, by the system's monotonic clock.</summary>
    public long Started { get; set; }

    public StepDecision? Decision { get; set; }

    public StepVote? Vote { get; set; }
}
