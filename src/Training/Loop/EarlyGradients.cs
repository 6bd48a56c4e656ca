using Distributed.Training.Exchange;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Reduction;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>
/// Makes the gradients of large linear layers before their inputs' and in pieces, so that buckets leave while most of
/// backward is still to come.
/// </summary>
/// <remarks>
/// Autograd computes the gradients of a linear layer's input, weight and bias together and hands them on only then: with few large layers
/// most bytes are ready at backward's end. Here the graph ends behind each such layer; what reaches its output is taken from there. The
/// products are the same ones, their rows made in several calls; <see cref="For"/> tries with the job's own shapes that no bit differs.
/// </remarks>
internal sealed class EarlyGradients : ILinear
{
    /// <summary>Rows of a weight a piece: long enough for a product to be as fast as the whole.</summary>
    private const int PieceRows = 256;

    private readonly ILinearModel model;
    private readonly GradientAccumulator accumulator;
    private readonly BucketProgress progress;
    private readonly HashSet<int> weights;
    private readonly Stack<Cut> cuts = new();

    private EarlyGradients(ILinearModel model, GradientAccumulator accumulator, BucketProgress progress, HashSet<int> weights) =>
        (this.model, this.accumulator, this.progress, this.weights) = (model, accumulator, progress, weights);

    /// <summary>Tries each layer that is worth it.</summary>
    /// <param name="leaves">The rank's own, in the type that the forward runs in.</param>
    /// <returns>Null when the model has no such layer, or none whose bits stay.</returns>
    public static EarlyGradients? For(
        JobRuntime job, IReadOnlyList<Tensor> leaves, GradientAccumulator accumulator, BucketProgress progress)
    {
        if (job.Model is not ILinearModel model) return null;
        var compute = job.Precision.Compute ?? ScalarType.Float32;
        var weights = new HashSet<int>();
        for (var i = 0; i < leaves.Count; i++)
            if (leaves[i].dim() == 2 && leaves[i].shape[0] >= 2 * PieceRows && leaves[i].dtype == compute
                && KeepsBits(leaves[i], leaves[i + 1], job.Spec.MicroBatch))
                weights.Add(i);
        return weights.Count == 0 ? null : new EarlyGradients(model, accumulator, progress, weights);
    }

    /// <returns>As the model's own forward; only before a <see cref="Backward"/>.</returns>
    public Tensor Forward(IReadOnlyList<Tensor> leaves, Tensor inputs, DropoutMask dropout)
    {
        cuts.Clear();
        return model.Forward(leaves, inputs, dropout, this);
    }

    public Tensor Apply(Tensor x_BI, IReadOnlyList<Tensor> parameters, int weight)
    {
        if (!weights.Contains(weight)) return Aten.Linear(x_BI, parameters[weight], parameters[weight + 1]);
        var (w_OI, b_O) = (parameters[weight], parameters[weight + 1]);
        // What autocast would do, kept for the weight's gradient.
        if (x_BI.dtype != w_OI.dtype) x_BI = x_BI.to(w_OI.dtype);
        var y_BO = Aten.Linear(x_BI, w_OI.detach(), b_O.detach());
        var end_BO = y_BO.detach().requires_grad_();
        cuts.Push(new Cut(weight, x_BI, y_BO, end_BO));
        return end_BO;
    }

    /// <summary>Goes on where the loss's own backward has ended, from the last cut to the first.</summary>
    public void Backward(IReadOnlyList<Tensor> leaves)
    {
        while (cuts.TryPop(out var cut))
        {
            if (cut.End_BO.grad is not { } g_BO) continue;
            Hand(cut.Weight + 1, g_BO.sum([0L]));
            Make(cut.Weight, leaves[cut.Weight], g_BO, cut.X_BI);
            if (cut.Y_BO.requires_grad) cut.Y_BO.backward([g_BO]);
        }
    }

    private void Hand(int bias, Tensor gradient)
    {
        accumulator.TakeUnmade(bias, gradient.DetachFromDisposeScope());
        accumulator.Made(bias, 0, gradient.numel());
        progress.Ready(bias);
    }

    private void Make(int weight, Tensor leaf, Tensor g_BO, Tensor x_BI)
    {
        using var _ = no_grad();
        var w_OI = empty_like(leaf).DetachFromDisposeScope();
        accumulator.TakeUnmade(weight, w_OI);
        long inputs = leaf.shape[1], outputs = leaf.shape[0];
        for (long row = 0; row < outputs; row += PieceRows)
        {
            var rows = Math.Min(PieceRows, outputs - row);
            Piece(g_BO, x_BI, w_OI, row, rows);
            accumulator.Made(weight, row * inputs, (row + rows) * inputs);
            progress.Ready(weight, (row + rows) * inputs);
        }
    }

    private static void Piece(Tensor g_BO, Tensor x_BI, Tensor target_OI, long row, long rows)
    {
        using var g_BR = g_BO.narrow(1, row, rows);
        using var g_RB = g_BR.t();
        using var target_RI = target_OI.narrow(0, row, rows);
        MatrixProducts.MultiplyPart(g_RB, x_BI, target_RI, target_OI.shape[0]);
    }

    /// <summary>Compares with autograd's own gradients, for made-up values.</summary>
    private static bool KeepsBits(Tensor weight, Tensor bias, int batch)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(1);
        var x_BI = randn([batch, weight.shape[1]], generator: random).to(weight.dtype);
        var g_BO = randn([batch, weight.shape[0]], generator: random).to(weight.dtype);
        var (w_OI, b_O) = (weight.detach().requires_grad_(), bias.detach().requires_grad_());
        Aten.Linear(x_BI, w_OI, b_O).backward([g_BO]);
        using var _ = no_grad();
        var made_OI = empty_like(weight);
        for (long row = 0; row < weight.shape[0]; row += PieceRows)
            Piece(g_BO, x_BI, made_OI, row, Math.Min(PieceRows, weight.shape[0] - row));
        return SameBits(made_OI, w_OI.grad!) && SameBits(g_BO.sum([0L]), b_O.grad!);
    }

    private static bool SameBits(Tensor a, Tensor b) => a.contiguous().bytes.SequenceEqual(b.contiguous().bytes);

    /// <param name="End_BO">The layer's output for what follows: a leaf of the graph there.</param>
    private sealed record Cut(int Weight, Tensor X_BI, Tensor Y_BO, Tensor End_BO);
}
