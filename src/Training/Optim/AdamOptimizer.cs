using Distributed.Core.Jobs;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Optim;

/// <summary>Adam and AdamW, as torch.optim has them.</summary>
internal sealed class AdamOptimizer(OptimizerSpec spec, ParameterLayout layout, bool decoupledDecay)
    : FlatOptimizer(spec, layout, "exp_avg", "exp_avg_sq")
{
    public override void Apply(ReadOnlySpan<OptimizerSegment> segments, double weightDecay, double lr)
    {
        var tensors = new Tensor[5][];
        for (var k = 0; k < tensors.Length; k++) tensors[k] = new Tensor[segments.Length];
        for (var i = 0; i < segments.Length; i++)
        {
            var s = segments[i];
            (tensors[0][i], tensors[1][i], tensors[2][i], tensors[3][i], tensors[4][i]) = (s.Weights, s.Gradient, s.Moments[0], s.Moments[1], s.Update);
        }
        Aten.FusedAdam(
            decoupledDecay, tensors[0], tensors[1], tensors[2], tensors[3], tensors[4], lr, Spec.Betas[0], Spec.Betas[1], weightDecay, Spec.Eps);
    }
}
