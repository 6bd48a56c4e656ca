using System.Runtime.InteropServices;
using Distributed.Core.Checkpoints;
using Distributed.Core.DataSets;
using Distributed.Core.Models;
using Distributed.Core.Optimizers;
using Distributed.Core.Spec;
using Distributed.Testing.Training;
using Distributed.Training.Tests.Loop;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Distributed.Training.Tests.Conformance;

/// <summary>
/// Three ranks, twelve micro-batches, fused kernels and channels-last against the plain loop one would write with TorchSharp alone.
/// </summary>
public sealed class PlainTorchTests : IDisposable
{
    private const int Batch = 24;
    private const int Steps = 12;
    private readonly string directory = Directory.CreateTempSubdirectory("dtrain-plain-").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Theory]
    [InlineData("simple-cnn", "adam")]
    [InlineData("mlp", "adam")]
    [InlineData("mlp", "adamw")]
    [InlineData("mlp", "sgd")]
    [InlineData("transformer", "adam")]
    [InlineData("transformer", "adamw")]
    public void Train_SameStart_FollowsThePlainLoop(string model, string optimizer)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(7);
        var (x, y) = model switch
        {
            "mlp" => (randn(Batch * 2, 20), randint(0, 10, [Batch * 2])),
            "transformer" => (randint(0, 10, [Batch * 2, 7]), randint(0, 10, [Batch * 2, 7])),
            _ => (randn(Batch * 2, 3, 32, 32), randint(0, 10, [Batch * 2])),
        };
        using Module<Tensor, Tensor> net = model switch
        {
            "mlp" => Sequential(("fc1", Linear(20, 32)), ("r", ReLU()), ("fc2", Linear(32, 10))),
            "transformer" => new PlainTransformer(width: 24, layers: 2, heads: 3, vocab: 10, sequence: 7),
            _ => Sequential(
                ("conv1", Conv2d(3, 32, 3, padding: 1)), ("r1", ReLU()), ("p1", MaxPool2d(2)), ("conv2", Conv2d(32, 64, 3, padding: 1)),
                ("r2", ReLU()),
                ("p2", MaxPool2d(2)), ("f", Flatten()), ("fc", Linear(4096, 10))),
        };
        Write("init.safetensors", [.. net.named_parameters().Select(p => (p.name, (Tensor)p.parameter))]);
        Write("data.safetensors", [("x", x), ("y", y)]);
        var expected = PlainLosses(net, Optimizer(optimizer, net), x, y);
        double[] losses = [.. TrainingHarness.Run(Job(model, optimizer), 3).Steps.Select(s => s.Loss)];
        Assert.Equal(Steps, losses.Length);
        for (var i = 0; i < Steps; i++) Assert.InRange(Math.Abs(losses[i] - expected[i]) / Math.Max(expected[i], 0.05), 0, 1e-4);
        // The loop moved: equal constants would prove nothing.
        Assert.True(expected[0] - expected[^1] > 0.01);
    }

    private static double[] PlainLosses(Module<Tensor, Tensor> net, optim.Optimizer optimizer, Tensor x, Tensor y)
    {
        var losses = new double[Steps];
        for (var step = 0; step < Steps; step++)
        {
            var at = step % 2 * Batch;
            optimizer.zero_grad();
            var loss = functional.cross_entropy(net.forward(x.narrow(0, at, Batch)).flatten(0, -2), y.narrow(0, at, Batch).flatten());
            loss.backward();
            optimizer.step();
            losses[step] = loss.item<float>();
        }
        return losses;
    }

    private static optim.Optimizer Optimizer(string name, Module net) => name switch
    {
        "adam" => optim.Adam(net.parameters(), lr: 2e-3, weight_decay: 0.02),
        "adamw" => optim.AdamW(net.parameters(), lr: 2e-3, weight_decay: 0.02),
        _ => optim.SGD(net.parameters(), 2e-3, momentum: 0.9, weight_decay: 0.02, nesterov: true),
    };

    private JobSpec Job(string model, string optimizer) => new()
    {
        Name = "plain",
        Model = ModelSpec.Of(
            model switch
            {
                "mlp" => new MlpOptions { Sizes = new([20, 32, 10]) },
                "transformer" => new TransformerOptions { Width = 24, Layers = 2, Heads = 3, Vocab = 10, Sequence = 7 },
                _ => new SimpleCnnOptions(),
            },
            Path.Combine(directory, "init.safetensors")),
        Data = DataSpec.Of(new TensorsOptions(), Path.Combine(directory, "data.safetensors")),
        GlobalBatch = Batch,
        MicroBatch = 2,
        Steps = Steps,
        Shuffle = false,
        Optimizer = OptimizerSpec.Of(optimizer switch
        {
            "sgd" => new SgdOptions { Lr = 2e-3, WeightDecay = 0.02, Momentum = 0.9, Nesterov = true },
            "adam" => new AdamOptions { Lr = 2e-3, WeightDecay = 0.02 },
            _ => new AdamWOptions { Lr = 2e-3, WeightDecay = 0.02 },
        }),
    };

    private void Write(string name, IReadOnlyList<(string Name, Tensor Value)> tensors)
    {
        using var stream = File.Create(Path.Combine(directory, name));
        var shapes = tensors.Select(
            t => new TensorShape(t.Name, t.Value.dtype == ScalarType.Int64 ? TensorDtype.I64 : TensorDtype.F32, new(t.Value.shape)));
        SafetensorsWriter.Write(stream, [.. shapes], null, (i, target) =>
        {
            var dense = tensors[i].Value.detach().contiguous();
            target.Write(dense.dtype == ScalarType.Int64
                ? MemoryMarshal.AsBytes<long>(dense.data<long>().ToArray())
                : MemoryMarshal.AsBytes<float>(dense.data<float>().ToArray()));
        });
    }
}
