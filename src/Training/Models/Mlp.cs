using Distributed.Core.Models;
using Distributed.Training.Data;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>Linear layers fc1, fc2, ... with ReLU between them; flattens its input.</summary>
internal sealed class Mlp : ILinearModel
{
    private readonly int layers;

    public Mlp(MlpOptions options)
    {
        var sizes = options.Sizes;
        layers = sizes.Count - 1;
        Parameters = [.. Enumerable.Range(1, layers).SelectMany(i => Layer(i, sizes[i - 1], sizes[i]))];
        Dropout = options.Dropout;
    }

    public IReadOnlyList<ParameterSpec> Parameters { get; }

    public ImageLayout InputLayout => ImageLayout.ChannelsFirst;

    public ILoss Loss { get; } = new CrossEntropyLoss();

    public double Dropout { get; }

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout)
    {
        var h_BD = Flatten(input);
        for (var i = 0; i < layers; i++)
        {
            if (i == layers - 1) h_BD = dropout.Apply(h_BD);
            h_BD = Aten.Linear(h_BD, parameters[2 * i], parameters[2 * i + 1]);
            if (i < layers - 1) h_BD = h_BD.relu_();
        }
        return h_BD;
    }

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout, ILinear linear)
    {
        var h_BD = Flatten(input);
        for (var i = 0; i < layers; i++)
        {
            if (i == layers - 1) h_BD = dropout.Apply(h_BD);
            h_BD = linear.Apply(h_BD, parameters, 2 * i);
            if (i < layers - 1) h_BD = h_BD.relu();
        }
        return h_BD;
    }

    private static Tensor Flatten(Tensor input) => input.dim() == 2 ? input : input.flatten(1);

    private static ParameterSpec[] Layer(int number, long inputs, long outputs) =>
    [
        new($"fc{number}.weight", [outputs, inputs], Initialisation.FanIn(inputs), Lowered: true),
        new($"fc{number}.bias", [outputs], Initialisation.FanIn(inputs), Lowered: true),
    ];
}
