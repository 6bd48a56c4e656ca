using Distributed.Core.Jobs;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Optim;

/// <summary>SGD with momentum and Nesterov's variant, as torch.optim has it (no dampening).</summary>
internal sealed class SgdOptimizer(OptimizerSpec spec, ParameterLayout layout)
    : FlatOptimizer(spec, layout, spec.Momentum > 0 ? ["momentum_buffer"] : [])
{
    public override void Apply(ReadOnlySpan<OptimizerSegment> segments, double weightDecay, double lr)
    {
        var weights = new Tensor[segments.Length];
        var gradients = new Tensor[segments.Length];
        var buffers = Spec.Momentum > 0 ? new Tensor[segments.Length] : [];
        for (var i = 0; i < segments.Length; i++)
        {
            (weights[i], gradients[i]) = (segments[i].Weights, segments[i].Gradient);
            if (buffers.Length > 0) buffers[i] = segments[i].Moments[0];
        }
        Aten.FusedSgd(weights, gradients, buffers, weightDecay, Spec.Momentum, lr, Spec.Nesterov);
    }
}
