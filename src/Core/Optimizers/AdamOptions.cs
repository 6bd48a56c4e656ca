using Distributed.Core.Documents;
using Distributed.Core.Options;
using Distributed.Core.Values;

namespace Distributed.Core.Optimizers;

/// <summary>Adam; weight decay is added to the gradient.</summary>
public record AdamOptions : OptimizerOptions
{
    [Option("decay rates of the two moments", Number = NumberKind.BelowOne)]
    public EquatableList<double> Betas { get; init; } = new([0.9, 0.999]);

    [Option("what is added to the root of the second moment", Number = NumberKind.Positive)]
    public double Eps { get; init; } = 1e-8;

    public override int MomentCount => 2;

    /// <remarks>The kernel takes these products as float32.</remarks>
    public override void Check(IOptionErrors optimizer)
    {
        if (Betas.Count != 2)
        {
            optimizer.FailLength("betas", Betas.Count, "two, such as [0.9, 0.999]");
            return;
        }

        var first = (float)(Lr / (1 - Betas[0]));
        if (!float.IsFinite(first))
            optimizer.Fail("lr", FormattableString.Invariant(
                $"found {Lr}, which makes the first update's lr / (1 - beta1) {Float32.Show(first)} as float32, expected a smaller one"));
    }
}

/// <summary>AdamW; weight decay is decoupled.</summary>
public sealed record AdamWOptions : AdamOptions
{
    public AdamWOptions() => WeightDecay = 0.01;

    public override void Check(IOptionErrors optimizer)
    {
        base.Check(optimizer);
        var decay = (float)(Lr * WeightDecay);
        if (!float.IsFinite(decay))
            optimizer.Fail("weightDecay", FormattableString.Invariant(
                $"found {WeightDecay}, which makes lr * weightDecay {Float32.Show(decay)} as float32, expected a smaller one"));
    }
}
