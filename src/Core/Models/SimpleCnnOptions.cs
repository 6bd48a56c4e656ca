using Distributed.Core.DataSets;
using Distributed.Core.Options;

namespace Distributed.Core.Models;

/// <summary>Two convolutions with pooling and a linear layer, for images of 3x32x32.</summary>
public sealed record SimpleCnnOptions : ModelOptions
{
    private const int ConvolutionOutputs = (32 * 32 * 32) + (32 * 16 * 16) + (64 * 16 * 16) + (64 * 8 * 8);

    [Option("probability of zeroing an input of the last layer", Number = NumberKind.BelowOne)]
    public double Dropout { get; init; }

    public override ModelContract Contract =>
        new() { Takes = "images of 3x32x32", Shape = [3, 32, 32], Labels = LabelKind.Class, Classes = 10 };

    public override double ParameterCount => (32 * 27) + 32 + (64 * 288) + 64 + (10 * 4096) + 10;

    public override double OutputCount(double tokens) => ConvolutionOutputs;
}
