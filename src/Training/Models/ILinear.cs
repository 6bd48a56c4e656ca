using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>How a model has its linear layers computed.</summary>
internal interface ILinear
{
    /// <param name="x_BI">[batch, in].</param>
    /// <param name="weight">Place of the weight [out, in] among the parameters; the bias [out] follows it.</param>
    /// <returns>x W^T + b [batch, out], not to be written to; belongs to the caller's dispose scope.</returns>
    Tensor Apply(Tensor x_BI, IReadOnlyList<Tensor> parameters, int weight);
}

/// <summary>A model of linear layers that may be computed by somebody else.</summary>
internal interface ILinearModel : IModel
{
    /// <inheritdoc cref="IModel.Forward"/>
    Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout, ILinear linear);
}
