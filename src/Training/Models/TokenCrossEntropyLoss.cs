using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Models;

/// <summary>
/// Softmax cross entropy of logits [batch, tokens, vocab] against token numbers [batch, tokens], int64; a sample's loss is the
/// mean over its tokens.
/// </summary>
internal sealed class TokenCrossEntropyLoss : ILoss
{
    public Tensor Sum(Tensor logits, Tensor labels)
    {
        // Held, as in DropoutMask.
        using Scalar tokens = labels.shape[1];
        return F.cross_entropy(logits.flatten(0, 1).to_type(ScalarType.Float32), labels.flatten(), reduction: nn.Reduction.Sum) / tokens;
    }

    public long Correct(Tensor logits, Tensor labels) => logits.argmax(2).eq(labels).sum().item<long>();
}
