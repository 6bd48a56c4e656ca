using Distributed.Core.Models;
using Distributed.Core.Spec;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Distributed.Bench.Step;

/// <summary>The transformer of <see cref="PlainLoop"/>: TorchSharp's modules, and libtorch's own choice of attention.</summary>
internal sealed class PlainTransformer : Module<Tensor, Tensor>
{
    private readonly Embedding embedding;
    private readonly Embedding position;
    private readonly ModuleList<Layer> layers;
    private readonly LayerNorm norm;
    private readonly Linear head;

    public PlainTransformer(TransformerOptions model)
        : base(nameof(PlainTransformer))
    {
        var width = model.Width;
        embedding = Embedding(model.Vocab, width);
        position = Embedding(model.Sequence, width);
        layers = ModuleList([.. Enumerable.Range(0, model.Layers).Select(_ => new Layer(width, model.Heads))]);
        norm = LayerNorm(width);
        head = Linear(width, model.Vocab);
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
        private readonly int heads;
        private readonly LayerNorm norm1;
        private readonly LayerNorm norm2;
        private readonly Linear qkv;
        private readonly Linear output;
        private readonly Linear linear1;
        private readonly Linear linear2;

        public Layer(int width, int heads)
            : base(nameof(Layer))
        {
            this.heads = heads;
            (norm1, norm2) = (LayerNorm(width), LayerNorm(width));
            (qkv, output) = (Linear(width, 3 * width), Linear(width, width));
            (linear1, linear2) = (Linear(width, 4 * width), Linear(4 * width, width));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var h_BTW = input + output.call(Attend(qkv.call(norm1.call(input))));
            return h_BTW + linear2.call(functional.gelu(linear1.call(norm2.call(h_BTW))));
        }

        private Tensor Attend(Tensor x)
        {
            var (batch, length, width) = (x.shape[0], x.shape[1], x.shape[2] / 3);
            var parts_BHTD = x.chunk(3, -1).Select(part => part.view(batch, length, heads, width / heads).transpose(1, 2)).ToArray();
            return functional.scaled_dot_product_attention(parts_BHTD[0], parts_BHTD[1], parts_BHTD[2], is_casual: true)
                .transpose(1, 2).reshape(batch, length, width);
        }
    }
}
