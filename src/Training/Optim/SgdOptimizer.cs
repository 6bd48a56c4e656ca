using Distributed.Core.Optimizers;
using Distributed.Training.Devices;
using Distributed.Training.Native;
using Distributed.Training.Parameters;

namespace Distributed.Training.Optim;

/// <summary>SGD with momentum and Nesterov's variant, as torch.optim has it (no dampening).</summary>
internal sealed class SgdOptimizer(SgdOptions options, ParameterLayout layout, IDeviceRuntime device)
    : FlatOptimizer(options, layout, device, options.Momentum > 0 ? ["momentum_buffer"] : [])
{
    public override void Apply(OptimizerSegment segment, long update, double weightDecay, double lr) =>
        Aten.FusedSgd(
            [segment.Weights], [segment.Gradient], options.Momentum > 0 ? [segment.Moments[0]] : [], weightDecay, options.Momentum, lr,
            options.Nesterov);
}
