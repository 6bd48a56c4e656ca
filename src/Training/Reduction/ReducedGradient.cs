using Distributed.Core.Canonical;

namespace Distributed.Training.Reduction;

/// <summary>The result of a step's reduction: the mean gradient of the global batch, and what a vote needs to know of it.</summary>
/// <remarks>Written by whatever sums the gradients, read by the ranks of the silo when all of it is there.</remarks>
/// <param name="address">FP32 in the layout of the flat buffers; its padding is zero and stays so.</param>
/// <param name="elements">Of the flat buffer: whole blocks.</param>
/// <param name="parameters">How many parameters it holds.</param>
/// <param name="microBatches">Of the global batch.</param>
public sealed class ReducedGradient(nint address, long elements, int parameters, int microBatches)
{
    private volatile bool foundInf;

    public nint Address { get; } = address;

    public long Elements { get; } = elements;

    /// <summary>By micro-batch of the global batch: sum of the sample losses. Each rank writes its own.</summary>
    public double[] Losses { get; } = new double[microBatches];

    /// <summary>By block: sum of squares of the unscaled mean gradient.</summary>
    public double[] BlockNorms { get; } = new double[BlockPlan.Blocks(elements)];

    /// <summary>By parameter: some micro-batch gave it a gradient. Threads set it, none takes it back within a step.</summary>
    public bool[] Touched { get; } = new bool[parameters];

    /// <value>A scaled sum is not finite.</value>
    public bool FoundInf => foundInf;

    /// <summary>Forgets the step before; losses are overwritten one by one.</summary>
    public void Begin()
    {
        foundInf = false;
        Array.Clear(Touched);
    }

    /// <summary>Notes that a scaled sum is not finite; by any thread.</summary>
    public void MarkNonFinite() => foundInf = true;

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
