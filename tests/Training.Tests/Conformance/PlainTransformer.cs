using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Distributed.Training.Tests.Conformance;

/// <summary>The transformer out of libtorch's own modules, their names as PyTorch has them; GELU by its formula.</summary>
internal sealed class PlainTransformer : Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly Embedding position;
    private readonly ModuleList<Layer> layers;
    private readonly LayerNorm norm;
    private readonly Linear head;

    public PlainTransformer(long width, int layers, long heads, long vocab, long sequence)
        : base(nameof(PlainTransformer))
    {
        embedding = Embedding(vocab, width);
        position = Embedding(sequence, width);
        this.layers = ModuleList([.. Enumerable.Range(0, layers).Select(_ => new Layer(width, heads))]);
        norm = LayerNorm(width);
        head = Linear(width, vocab);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var x_BTW = embedding.call(input) + position.call(arange(input.shape[1], ScalarType.Int64));
        foreach (var layer in layers) x_BTW = layer.call(x_BTW);
        return head.call(norm.call(x_BTW));
    }

    private sealed class Layer : Module<Tensor, Tensor>
    {
        private readonly LayerNorm norm1;
        private readonly MultiheadAttention self_attn;
        private readonly LayerNorm norm2;
        private readonly Linear linear1;
        private readonly Linear linear2;

        public Layer(long width, long heads)
            : base(nameof(Layer))
        {
            norm1 = LayerNorm(width);
            self_attn = MultiheadAttention(width, heads);
            norm2 = LayerNorm(width);
            linear1 = Linear(width, 4 * width);
            linear2 = Linear(4 * width, width);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var length = input.shape[1];
            var mask_TT = full(length, length, float.NegativeInfinity).triu(1);
            var x_TBW = norm1.call(input).transpose(0, 1);
            var h_BTW = input + self_attn.call(x_TBW, x_TBW, x_TBW, null!, false, mask_TT).Item1.transpose(0, 1);
            var wide = linear1.call(norm2.call(h_BTW));
            return h_BTW + linear2.call(wide * 0.5 * (1 + (wide / Math.Sqrt(2)).erf()));
        }
    }
}
