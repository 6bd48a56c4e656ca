using Distributed.Core.Documents;
using Distributed.Core.Options;
using Distributed.Core.Values;

namespace Distributed.Core.Optimizers;

/// <summary>What a job file says of an optimizer besides its name.</summary>
/// <remarks>Properties with an <see cref="OptionAttribute"/> are keys of <c>optimizer</c> in the job file.</remarks>
public abstract record OptimizerOptions
{
    [Option("learning rate", Number = NumberKind.NotNegative)]
    public double Lr { get; init; } = 1e-3;

    [Option("weight decay", Number = NumberKind.NotNegative)]
    public double WeightDecay { get; init; }

    [Option("patterns over parameter names, with * and ?, that weight decay leaves out")]
    public EquatableList<string> NoDecay { get; init; } = new([]);

    /// <summary>FP32 numbers that it keeps for each parameter.</summary>
    public abstract int MomentCount { get; }

    /// <summary>Checks options against each other; their own ranges hold.</summary>
    public virtual void Check(IOptionErrors optimizer)
    {
    }
}
