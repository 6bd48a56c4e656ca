using TorchSharp;
using static Distributed.Training.Native.Dispatcher;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>The ATen operators that TorchSharp does not offer, or not in the form needed.</summary>
internal static class Aten
{
    /// <summary>x W^T + b in one operator, so that autocast lowers weight and bias alike, whatever the rank of x.</summary>
    /// <returns>New tensor [..., out]; the caller disposes.</returns>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor bias)
    {
        Span<ulong> stack = [Slot(x), Slot(weight), Some(Slot(bias))];
        Call("aten::linear", "", stack);
        return Take(stack[0]);
    }

    /// <summary>target = left right, for matrices.</summary>
    public static void MatrixProduct(Tensor left, Tensor right, Tensor target)
    {
        Span<ulong> stack = [Slot(left), Slot(right), Slot(target)];
        Call("aten::mm", "out", stack);
        Take(stack[0]).Dispose();
    }

    /// <returns>
    /// Rows of <paramref name="weight"/> [vocab, width] picked by int64 <paramref name="tokens"/>: new tensor [..., width];
    /// the caller disposes.
    /// </returns>
    public static Tensor Embedding(Tensor weight, Tensor tokens)
    {
        Span<ulong> stack = [Slot(weight), Slot(tokens), Slot(-1L), Slot(false), Slot(false)];
        Call("aten::embedding", "", stack);
        return Take(stack[0]);
    }

    /// <summary>One-layer, one-direction LSTM over a batch-first sequence.</summary>
    /// <param name="x">[batch, time, features].</param>
    /// <param name="weights">weight_ih, weight_hh, bias_ih, bias_hh; gates in the order i, f, g, o.</param>
    /// <returns>The last hidden state [batch, hidden]; the caller disposes.</returns>
    public static Tensor LstmLastHidden(Tensor x, Tensor h0, Tensor c0, ReadOnlySpan<Tensor> weights)
    {
        Span<ulong> stack =
            [Slot(x), Slot([h0, c0]), Slot(weights), Slot(true), Slot(1L), Slot(0.0), Slot(true), Slot(false), Slot(true)];
        Call("aten::lstm", "input", stack);
        Take(stack[0]).Dispose();
        Take(stack[2]).Dispose();
        using var last_1BH = Take(stack[1]);
        return last_1BH.squeeze(0);
    }

    /// <summary>Sets <paramref name="foundInf"/> to 1 if an element is not finite, then multiplies all in place (torch.amp).</summary>
    public static void NonFiniteCheckAndUnscale(ReadOnlySpan<Tensor> gradients, Tensor foundInf, Tensor inverseScale)
    {
        Span<ulong> stack = [Slot(gradients), Slot(foundInf), Slot(inverseScale)];
        Call("aten::_amp_foreach_non_finite_check_and_unscale_", "", stack);
    }

    /// <summary>One Adam (L2 decay) or AdamW (decoupled decay) update of every tensor in place; steps are already counted up.</summary>
    public static void FusedAdam(
        bool decoupled, ReadOnlySpan<Tensor> weights, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> averages,
        ReadOnlySpan<Tensor> squares, ReadOnlySpan<Tensor> steps, double lr, double beta1, double beta2, double weightDecay, double eps)
    {
        Span<ulong> stack =
        [
            Slot(weights), Slot(gradients), Slot(averages), Slot(squares), Slot([]), Slot(steps),
            Slot(lr), Slot(beta1), Slot(beta2), Slot(weightDecay), Slot(eps), Slot(false), Slot(false), None, None,
        ];
        Call(decoupled ? "aten::_fused_adamw_" : "aten::_fused_adam_", "", stack);
    }

    /// <summary>One SGD update in place; buffers start at zero, so the first step needs no case of its own.</summary>
    public static void FusedSgd(
        ReadOnlySpan<Tensor> weights, ReadOnlySpan<Tensor> gradients, ReadOnlySpan<Tensor> momentumBuffers,
        double weightDecay, double momentum, double lr, bool nesterov)
    {
        Span<ulong> stack =
        [
            Slot(weights), Slot(gradients), Slot(momentumBuffers), Slot(weightDecay), Slot(momentum), Slot(lr), Slot(0.0),
            Slot(nesterov), Slot(false), Slot(false), None, None,
        ];
        Call("aten::_fused_sgd_", "", stack);
    }
}
