using Distributed.Core.Documents;
using Distributed.Core.Options;

namespace Distributed.Core.Optimizers;

/// <summary>SGD with momentum and Nesterov's variant; weight decay is added to the gradient.</summary>
public sealed record SgdOptions : OptimizerOptions
{
    [Option("momentum", Number = NumberKind.BelowOne)]
    public double Momentum { get; init; }

    [Option("Nesterov's variant, which needs a momentum")]
    public bool Nesterov { get; init; }

    public override int MomentCount => Momentum > 0 ? 1 : 0;

    public override void Check(IOptionErrors optimizer)
    {
        if (this is { Nesterov: true, Momentum: 0 })
            optimizer.Fail("nesterov", "found true without momentum, expected momentum greater than 0");
    }
}
