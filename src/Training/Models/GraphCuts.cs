using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>Places where autograd's graph ends and we go on by hand; one forward at a time, of one rank.</summary>
internal sealed class GraphCuts
{
    private readonly Stack<Cut> cuts = new();

    /// <summary>Forgets a forward that had no backward.</summary>
    public void Clear() => cuts.Clear();

    /// <param name="x">Where the graph ends.</param>
    /// <param name="y">A function of it that autograd knows nothing of.</param>
    /// <param name="backward">From the gradient of y to that of x.</param>
    /// <returns>y, as the leaf that what follows is a function of.</returns>
    public Tensor Add(Tensor x, Tensor y, Func<Tensor, Tensor> backward)
    {
        if (!x.requires_grad) return y;
        var end = y.requires_grad_();
        cuts.Push(new Cut(x, end, backward));
        return end;
    }

    /// <summary>Goes on where the loss's own backward has ended, from the last cut to the first.</summary>
    public void Backward()
    {
        while (cuts.TryPop(out var cut))
            if (cut.End.grad is { } gradient)
                cut.X.backward([cut.Backward(gradient)]);
    }

    private sealed record Cut(Tensor X, Tensor End, Func<Tensor, Tensor> Backward);
}

/// <summary>A model with parts that are computed faster by hand than by libtorch's operators, to the same bits.</summary>
internal interface ICutModel : IModel
{
    /// <inheritdoc cref="IModel.Forward"/>
    Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout, GraphCuts cuts);
}
