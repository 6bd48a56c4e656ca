using Distributed.Core.Models;
using Distributed.Training.Data;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Models;

/// <summary>
/// Decoder-only transformer that predicts each next token: learned positions, pre-norm layers with causal attention and GELU, an
/// output layer of its own.
/// </summary>
/// <remarks>
/// Activations are rows, one per token, so that every linear layer is one matrix product. Attention is two batched products and a softmax:
/// libtorch's flash attention is slower on a CPU. Suffixes: B samples, T tokens, N = B T, W width, H heads, D = W / H, G = B H, V vocab.
/// </remarks>
internal sealed class Transformer : IModel
{
    private const int BeforeLayers = 2;
    private const int PerLayer = 12;

    private readonly int width;
    private readonly int layers;
    private readonly int heads;
    private readonly int sequence;

    public Transformer(TransformerOptions options)
    {
        (width, layers, heads, sequence, Dropout) = (options.Width, options.Layers, options.Heads, options.Sequence, options.Dropout);
        Parameters =
        [
            new("embedding.weight", [options.Vocab, width], Initialisation.StandardNormal),
            new("position.weight", [sequence, width], Initialisation.StandardNormal),
            .. Enumerable.Range(0, layers).SelectMany(Layer),
            .. Norm("norm"),
            .. Linear("head", width, options.Vocab),
        ];
    }

    public IReadOnlyList<ParameterSpec> Parameters { get; }

    public ImageLayout InputLayout => ImageLayout.ChannelsFirst;

    public ILoss Loss { get; } = new TokenCrossEntropyLoss();

    public double Dropout { get; }

    public Tensor Forward(IReadOnlyList<Tensor> parameters, Tensor input, DropoutMask dropout)
    {
        using var scope = NewDisposeScope();
        var length = input.shape[1];
        // Held: a number that TorchSharp wraps on the way may be collected while the native call still reads it.
        using Scalar hidden = float.NegativeInfinity;
        var mask_TT = full(length, length, hidden).triu_(1);
        var position_TW = length == sequence ? parameters[1] : parameters[1].narrow(0, 0, length);
        var x_NW = (Aten.Embedding(parameters[0], input) + position_TW).flatten(0, 1);
        for (var i = 0; i < layers; i++) x_NW = RunLayer(parameters, BeforeLayers + (i * PerLayer), x_NW, mask_TT);
        var last_NW = dropout.Apply(Normalise(x_NW, parameters, BeforeLayers + (layers * PerLayer)));
        var logits_NV = Aten.Linear(last_NW, parameters[^2], parameters[^1]);
        return logits_NV.view(-1, length, logits_NV.shape[1]).MoveToOuterDisposeScope();
    }

    /// <param name="first">Index of the layer's first parameter.</param>
    private Tensor RunLayer(IReadOnlyList<Tensor> parameters, int first, Tensor x_NW, Tensor mask_TT)
    {
        using var scope = NewDisposeScope();
        var qkv = Aten.Linear(Normalise(x_NW, parameters, first), parameters[first + 2], parameters[first + 3]);
        var h_NW = x_NW + Aten.Linear(Attend(qkv, mask_TT), parameters[first + 4], parameters[first + 5]);
        var wide = F.gelu(Aten.Linear(Normalise(h_NW, parameters, first + 6), parameters[first + 8], parameters[first + 9]));
        return (h_NW + Aten.Linear(wide, parameters[first + 10], parameters[first + 11])).MoveToOuterDisposeScope();
    }

    /// <param name="qkv">Queries, keys and values side by side [N, 3 W].</param>
    /// <param name="mask_TT">0, and minus infinity above the diagonal.</param>
    /// <returns>[N, W].</returns>
    private Tensor Attend(Tensor qkv, Tensor mask_TT)
    {
        var length = mask_TT.shape[0];
        var size = width / heads;
        var parts_GTD = qkv.view(-1, length, 3, heads, size).permute(2, 0, 3, 1, 4).contiguous().view(3, -1, length, size).unbind(0);
        // mask + q k^T / sqrt(D) in one operator. TorchSharp takes the two factors first and the summand last, whatever it calls them.
        var scores_GTT = parts_GTD[0].baddbmm(parts_GTD[1].transpose(1, 2), mask_TT, beta: 1, alpha: (float)(1 / Math.Sqrt(size)));
        var mixed_GTD = scores_GTT.softmax(-1).bmm(parts_GTD[2]);
        return mixed_GTD.view(-1, heads, length, size).transpose(1, 2).reshape(-1, width);
    }

    private Tensor Normalise(Tensor x_NW, IReadOnlyList<Tensor> parameters, int weight) =>
        F.layer_norm(x_NW, [width], parameters[weight], parameters[weight + 1]);

    private IEnumerable<ParameterSpec> Layer(int number)
    {
        var name = $"layers.{number}.";
        return
        [
            .. Norm(name + "norm1"),
            new(name + "self_attn.in_proj_weight", [3 * width, width], Initialisation.Xavier(width, 3 * width), Lowered: true),
            new(name + "self_attn.in_proj_bias", [3 * width], Initialisation.Zeros, Lowered: true),
            new(name + "self_attn.out_proj.weight", [width, width], Initialisation.FanIn(width), Lowered: true),
            new(name + "self_attn.out_proj.bias", [width], Initialisation.Zeros, Lowered: true),
            .. Norm(name + "norm2"),
            .. Linear(name + "linear1", width, 4 * width),
            .. Linear(name + "linear2", 4 * width, width),
        ];
    }

    private ParameterSpec[] Norm(string name) =>
        [new(name + ".weight", [width], Initialisation.Ones), new(name + ".bias", [width], Initialisation.Zeros)];

    private static ParameterSpec[] Linear(string name, long inputs, long outputs) =>
    [
        new(name + ".weight", [outputs, inputs], Initialisation.FanIn(inputs), Lowered: true),
        new(name + ".bias", [outputs], Initialisation.FanIn(inputs), Lowered: true),
    ];
}
