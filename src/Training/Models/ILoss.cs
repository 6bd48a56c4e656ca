using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>A loss summed over samples, and how many of their labels the logits get right.</summary>
internal interface ILoss
{
    /// <returns>Scalar, FP32; belongs to the caller's dispose scope.</returns>
    Tensor Sum(Tensor logits, Tensor labels);

    /// <summary>Labels predicted rightly; <paramref name="logits"/> FP32.</summary>
    long Correct(Tensor logits, Tensor labels);
}
