using Distributed.Core.Canonical;
using Distributed.Core.Events;
using Distributed.Core.Stepping;
using Distributed.Training.Reduction;

namespace Distributed.Training.Loop;

/// <summary>What the ranks of a silo lay out for each other during one step. Written between meetings, read after them.</summary>
internal sealed class StepBoard(int ranks, double[] losses, double[] blockNorms, bool[] touched)
{
    /// <summary>By local rank: the partials its run merged to.</summary>
    public IReadOnlyList<GradientPartial>[] Partials { get; } = new IReadOnlyList<GradientPartial>[ranks];

    /// <summary>By local rank: a scaled sum in its run of blocks is not finite.</summary>
    public bool[] FoundInf { get; } = new bool[ranks];

    /// <summary>By local rank.</summary>
    public PhaseSeconds[] Phases { get; } = new PhaseSeconds[ranks];

    /// <summary>With several silos: seconds from the first bucket's leaving to the whole reduced gradient.</summary>
    public double ExchangeSeconds { get; set; }

    /// <summary>When the silo's first rank began the step, by the system's monotonic clock.</summary>
    public long Started { get; set; }

    /// <summary>By micro-batch: sum of the sample losses.</summary>
    public double[] Losses { get; } = losses;

    /// <summary>By block: sum of squares of the unscaled mean gradient.</summary>
    public double[] BlockNorms { get; } = blockNorms;

    /// <summary>By parameter: some micro-batch gave it a gradient.</summary>
    public bool[] Touched { get; } = touched;

    /// <summary>All partials of the silo in micro-batch order; filled when the last rank has arrived.</summary>
    public IReadOnlyList<GradientPartial> Gathered { get; private set; } = [];

    public StepDecision? Decision { get; set; }

    public StepVote? Vote { get; set; }

    /// <summary>Joins the ranks' partials and marks the parameters that got a gradient.</summary>
    public void Gather()
    {
        Gathered = [.. Partials.SelectMany(p => p)];
        Array.Clear(Touched);
        foreach (var partial in Gathered)
            for (var i = 0; i < Touched.Length; i++)
                Touched[i] |= !partial.Sources[i].IsNone;
    }

    /// <summary>Loss sum of the global batch, in the canonical tree.</summary>
    public double LossSum() => CanonicalTree.Fold(Losses.Select((loss, i) => (i, i + 1, loss)), (a, b) => a + b);

    /// <summary>Squared global norm, folded in block order.</summary>
    public double NormSquared()
    {
        var sum = 0.0;
        foreach (var block in BlockNorms) sum += block;
        return sum;
    }
}
