using Distributed.Core.Spec;
using Distributed.Training.Native;
using Distributed.Training.Parameters;

namespace Distributed.Training.Optim;

/// <summary>SGD with momentum and Nesterov's variant, as torch.optim has it (no dampening).</summary>
internal sealed class SgdOptimizer(OptimizerSpec spec, ParameterLayout layout)
    : FlatOptimizer(spec, layout, spec.Momentum > 0 ? ["momentum_buffer"] : [])
{
    public override void Apply(OptimizerSegment segment, long update, double weightDecay, double lr) =>
        Aten.FusedSgd(
            [segment.Weights], [segment.Gradient], Spec.Momentum > 0 ? [segment.Moments[0]] : [], weightDecay, Spec.Momentum, lr, Spec.Nesterov);
}
