using Distributed.Training.Data;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>A model as a function of its parameters: it holds no tensor, so every rank may call it with leaves of its own.</summary>
internal interface IModel
{
    /// <summary>In the order of the forward.</summary>
    IReadOnlyList<ParameterSpec> Parameters { get; }

    /// <summary>Memory order of image batches this model is fastest with.</summary>
    ImageLayout InputLayout { get; }

    ILoss Loss { get; }

    /// <value>Probability that dropout zeroes an element while training, in [0, 1).</value>
    double Dropout { get; }

    /// <param name="parameters">One per <see cref="Parameters"/>, in that order.</param>
    /// <returns>Logits [batch, classes], [batch] or [batch, tokens, vocab]; belongs to the caller's dispose scope.</returns>
    Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout);
}
