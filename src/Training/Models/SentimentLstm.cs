using Distributed.Core.Models;
using Distributed.Training.Data;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Models;

/// <summary>Embedding, one LSTM layer, and a linear layer on its last hidden state: one logit a sequence.</summary>
internal sealed class SentimentLstm(SentimentLstmOptions options) : IModel
{
    private readonly int hidden = options.Hidden;

    public IReadOnlyList<ParameterSpec> Parameters { get; } =
    [
        new("embedding.weight", [options.Vocab, options.Embedding], Initialisation.StandardNormal),
        new("lstm.weight_ih_l0", [4 * options.Hidden, options.Embedding], Initialisation.FanIn(options.Hidden)),
        new("lstm.weight_hh_l0", [4 * options.Hidden, options.Hidden], Initialisation.FanIn(options.Hidden)),
        new("lstm.bias_ih_l0", [4 * options.Hidden], Initialisation.FanIn(options.Hidden)),
        new("lstm.bias_hh_l0", [4 * options.Hidden], Initialisation.FanIn(options.Hidden)),
        new("fc.weight", [1, options.Hidden], Initialisation.FanIn(options.Hidden), Lowered: true),
        new("fc.bias", [1], Initialisation.FanIn(options.Hidden), Lowered: true),
    ];

    public ImageLayout InputLayout => ImageLayout.ChannelsFirst;

    public ILoss Loss { get; } = new BinaryCrossEntropyLoss();

    public double Dropout { get; } = options.Dropout;

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout)
    {
        var tokens_BTE = Aten.Embedding(parameters[0], input);
        var zero_1BH = zeros([1, input.shape[0], hidden], device: input.device);
        var last_BH = Aten.LstmLastHidden(tokens_BTE, zero_1BH, zero_1BH, [parameters[1], parameters[2], parameters[3], parameters[4]]);
        return Aten.Linear(dropout.Apply(last_BH), parameters[5], parameters[6]).squeeze(-1);
    }
}
