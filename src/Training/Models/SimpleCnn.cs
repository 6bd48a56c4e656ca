using Distributed.Core.Models;
using Distributed.Training.Data;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Models;

/// <summary>Two 3x3 convolutions with pooling and one linear layer, for 3x32x32 images in 10 classes; channels last throughout.</summary>
internal sealed class SimpleCnn(SimpleCnnOptions options) : ICutModel
{
    public IReadOnlyList<ParameterSpec> Parameters { get; } =
    [
        new("conv1.weight", [32, 3, 3, 3], Initialisation.FanIn(27), Lowered: true, ChannelsLast: true),
        new("conv1.bias", [32], Initialisation.FanIn(27), Lowered: true),
        new("conv2.weight", [64, 32, 3, 3], Initialisation.FanIn(288), Lowered: true, ChannelsLast: true),
        new("conv2.bias", [64], Initialisation.FanIn(288), Lowered: true),
        new("fc.weight", [10, 4096], Initialisation.FanIn(4096), Lowered: true),
        new("fc.bias", [10], Initialisation.FanIn(4096), Lowered: true),
    ];

    public ImageLayout InputLayout => ImageLayout.ChannelsLast;

    public ILoss Loss { get; } = new CrossEntropyLoss();

    public double Dropout => options.Dropout;

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout)
    {
        var h1_BCHW = PoolAndRelu.Apply(Convolve(input, parameters[0], parameters[1]));
        var h2_BCHW = PoolAndRelu.Apply(Convolve(h1_BCHW, parameters[2], parameters[3]));
        return Aten.Linear(dropout.Apply(h2_BCHW.flatten(1)), parameters[4], parameters[5]);
    }

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout, GraphCuts cuts)
    {
        var h1_BCHW = PoolAndRelu.Apply(Convolve(input, parameters[0], parameters[1]), cuts);
        var h2_BD = PoolAndRelu.ApplyFlat(Convolve(h1_BCHW, parameters[2], parameters[3]), cuts);
        return Aten.Linear(dropout.Apply(h2_BD), parameters[4], parameters[5]);
    }

    private static Tensor Convolve(Tensor x, Tensor weight, Tensor bias) => F.conv2d(x, weight, bias, padding: [1, 1]);
}
