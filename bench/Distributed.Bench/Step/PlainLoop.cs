using System.Diagnostics;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Spec;
using Distributed.Core.Values;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Distributed.Bench.Step;

/// <summary>The baseline of <c>bench step</c>: what one would write with TorchSharp alone, on one thread.</summary>
internal static class PlainLoop
{
    /// <returns>Seconds of each step.</returns>
    public static double[] Run(ModelSpec model, Core.Spec.Precision precision, Tensor x, Tensor y, int steps)
    {
        set_num_threads(1);
        random.manual_seed(1);
        using var net = Build(model);
        var optimizer = optim.AdamW(net.parameters(), lr: 1e-3);
        var half = precision == Core.Spec.Precision.MixedFloat16 ? ScalarType.Float16 : ScalarType.BFloat16;
        var seconds = new double[steps];
        for (var step = 0; step < steps; step++)
        {
            var started = Stopwatch.GetTimestamp();
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            Tensor loss;
            using (precision == Core.Spec.Precision.Float32 ? default : AutocastScope.Enter(DeviceType.CPU, half))
                loss = Loss(model, net.forward(x), y);
            loss.backward();
            optimizer.step();
            _ = loss.item<float>();
            seconds[step] = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        return seconds;
    }

    private static Tensor Loss(ModelSpec model, Tensor logits, Tensor y) => model.Options.Contract.Labels switch
    {
        LabelKind.Binary => functional.binary_cross_entropy_with_logits(logits.squeeze(-1).to_type(ScalarType.Float32), y),
        LabelKind.ClassPerToken => functional.cross_entropy(logits.flatten(0, 1), y.flatten()),
        _ => functional.cross_entropy(logits, y),
    };

    private static Module<Tensor, Tensor> Build(ModelSpec model) => model.Options switch
    {
        SimpleCnnOptions => Sequential(
            Conv2d(3, 32, 3, padding: 1), ReLU(), MaxPool2d(2), Conv2d(32, 64, 3, padding: 1), ReLU(), MaxPool2d(2), Flatten(),
            Linear(4096, 10)),
        MlpOptions { Sizes: var sizes } => Sequential(sizes.Zip(sizes.Skip(1)).SelectMany((s, i) =>
            i == sizes.Count - 2 ? new Module<Tensor, Tensor>[] { Linear(s.First, s.Second) } : [Linear(s.First, s.Second), ReLU()])),
        TransformerOptions transformer => new PlainTransformer(transformer),
        SentimentLstmOptions lstm => new PlainLstm(lstm),
        _ => throw new ArgumentException($"There is no plain loop for model {model.Name}.", nameof(model)),
    };

    private sealed class PlainLstm : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Embedding embedding;
        private readonly TorchSharp.Modules.LSTM lstm;
        private readonly TorchSharp.Modules.Linear fc;

        public PlainLstm(SentimentLstmOptions model)
            : base(nameof(PlainLstm))
        {
            embedding = Embedding(model.Vocab, model.Embedding);
            lstm = LSTM(model.Embedding, model.Hidden, batchFirst: true);
            fc = Linear(model.Hidden, 1);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input)
        {
            var (_, last, _) = lstm.call(embedding.call(input));
            return fc.call(last.squeeze(0));
        }
    }
}
