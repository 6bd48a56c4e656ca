using Distributed.Core.LossScaling;

namespace Distributed.Core.Spec;

/// <summary>The loss-scale policy of a job.</summary>
public static class JobLossScale
{
    /// <summary>Without settings torch's defaults under mixed_float16, otherwise a scale of 1 for ever.</summary>
    public static ILossScalePolicy For(LossScaleSpec? spec, Precision precision) => (spec, precision) switch
    {
        (not null, _) => LossScalePolicies.Create(spec),
        (null, Precision.MixedFloat16) => LossScalePolicies.Create(new LossScaleSpec()),
        _ => new StaticScalePolicy(1),
    };

    /// <inheritdoc cref="For(LossScaleSpec?, Precision)"/>
    public static ILossScalePolicy For(JobSpec spec) => For(spec.LossScale, spec.Precision);
}
