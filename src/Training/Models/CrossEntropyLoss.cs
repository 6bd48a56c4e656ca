using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Models;

/// <summary>Softmax cross entropy of logits [batch, classes] against class numbers [batch], int64.</summary>
internal sealed class CrossEntropyLoss : ILoss
{
    public Tensor Sum(Tensor logits, Tensor labels) =>
        F.cross_entropy(logits.to_type(ScalarType.Float32), labels, reduction: nn.Reduction.Sum);

    public long Correct(Tensor logits, Tensor labels) => logits.argmax(1).eq(labels).sum().item<long>();
}
