using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Native;
using static TorchSharp.torch;

namespace Distributed.Training.Precision;

/// <summary>How a job computes: which type the forward runs in under autocast, and which parameters get working copies in it.</summary>
internal sealed class PrecisionPolicy
{
    private PrecisionPolicy(Core.Spec.Precision name, ScalarType? compute, bool workingCopies)
    {
        Name = name;
        Compute = compute;
        HasWorkingCopies = workingCopies;
    }

    public Core.Spec.Precision Name { get; }

    /// <value>Type that autocast lowers to; null: no autocast.</value>
    public ScalarType? Compute { get; }

    /// <value>
    /// Parameters that only lowered operators read are cast once per step, not once per forward. FP16 on the CPU is there for correctness
    /// and keeps plain autocast.
    /// </value>
    public bool HasWorkingCopies { get; }

    public static PrecisionPolicy For(Core.Spec.Precision precision) => precision switch
    {
        Core.Spec.Precision.Float32 => new(precision, null, workingCopies: false),
        Core.Spec.Precision.MixedBFloat16 => new(precision, ScalarType.BFloat16, workingCopies: true),
        Core.Spec.Precision.MixedFloat16 => new(precision, ScalarType.Float16, workingCopies: false),
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, null),
    };

    /// <summary>The scope a forward runs in; of the calling thread only.</summary>
    public AutocastScope Forward(TorchSharp.DeviceType device) => Compute is { } dtype ? AutocastScope.Enter(device, dtype) : default;
}
