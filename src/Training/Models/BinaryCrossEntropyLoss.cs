using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Models;

/// <summary>Binary cross entropy of logits [batch] against labels [batch] of 0 or 1, float32.</summary>
internal sealed class BinaryCrossEntropyLoss : ILoss
{
    public Tensor Sum(Tensor logits, Tensor labels) =>
        F.binary_cross_entropy_with_logits(logits.to_type(ScalarType.Float32), labels, reduction: nn.Reduction.Sum);

    public long Correct(Tensor logits, Tensor labels)
    {
        // Held: a number that TorchSharp wraps on the way may be collected while the native call still reads it.
        using Scalar zero = 0, half = 0.5;
        return logits.gt(zero).eq(labels.gt(half)).sum().item<long>();
    }
}
