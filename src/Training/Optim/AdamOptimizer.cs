using Distributed.Core.Optimizers;
using Distributed.Training.Devices;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;

namespace Distributed.Training.Optim;

/// <summary>Adam and AdamW, as torch.optim has them.</summary>
internal sealed class AdamOptimizer(AdamOptions options, ParameterLayout layout, IDeviceRuntime device)
    : FlatOptimizer(options, layout, device, "exp_avg", "exp_avg_sq")
{
    public override void Apply(OptimizerSegment segment, long update, double weightDecay, double lr)
    {
        // Held: a number that TorchSharp wraps on the way may be collected while the native call still reads it.
        using Scalar count = (double)update;
        segment.Update.fill_(count);
        Aten.FusedAdam(
            options is AdamWOptions, [segment.Weights], [segment.Gradient], [segment.Moments[0]], [segment.Moments[1]], [segment.Update],
            lr, options.Betas[0], options.Betas[1], weightDecay, options.Eps);
    }
}
