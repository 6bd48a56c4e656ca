using Distributed.Core.Spec;
using Distributed.Training.Native;
using Distributed.Training.Parameters;

namespace Distributed.Training.Optim;

/// <summary>Adam and AdamW, as torch.optim has them.</summary>
internal sealed class AdamOptimizer(OptimizerSpec spec, ParameterLayout layout, bool decoupledDecay)
    : FlatOptimizer(spec, layout, "exp_avg", "exp_avg_sq")
{
    public override void Apply(OptimizerSegment segment, long update, double weightDecay, double lr)
    {
        segment.Update.fill_((double)update);
        Aten.FusedAdam(
            decoupledDecay, [segment.Weights], [segment.Gradient], [segment.Moments[0]], [segment.Moments[1]], [segment.Update],
            lr, Spec.Betas[0], Spec.Betas[1], weightDecay, Spec.Eps);
    }
}
