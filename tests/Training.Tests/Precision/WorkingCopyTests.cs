using Distributed.Core.Models;
using Distributed.Training.Devices;
using Distributed.Training.Models;
using Distributed.Training.Parameters;
using Distributed.Training.Precision;
using TorchSharp;
using static TorchSharp.torch;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Precision;

/// <summary>
/// Reading a parameter through a bfloat16 working copy gives bit for bit the loss and gradients of plain autocast on FP32 leaves.
/// </summary>
public sealed class WorkingCopyTests
{
    public static TheoryData<string> Models => ["simple-cnn", "mlp", "sentiment-lstm", "transformer"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Backward_WorkingCopies_MatchPlainAutocast(string name)
    {
        using var scope = NewDisposeScope();
        random.manual_seed(11);
        var model = ModelCatalog.Create(name switch
        {
            "simple-cnn" => new SimpleCnnOptions(),
            "mlp" => new MlpOptions { Sizes = new([96, 64, 48, 10]) },
            "sentiment-lstm" => new SentimentLstmOptions { Vocab = 50, Embedding = 20, Hidden = 24 },
            _ => new TransformerOptions { Width = 48, Layers = 2, Heads = 3, Vocab = 50, Sequence = 17 },
        });
        var input = name switch
        {
            "simple-cnn" => randn(12, 3, 32, 32),
            "mlp" => randn(12, 96),
            "sentiment-lstm" => randint(0, 50, [12, 9]),
            _ => randint(0, 50, [12, 17]),
        };
        var labels = name switch
        {
            "sentiment-lstm" => randint(0, 2, [12]).to_type(ScalarType.Float32),
            "transformer" => randint(0, 50, [12, 17]),
            _ => randint(0, 10, [12]),
        };

        using var copies = new Replica(
            new ParameterLayout(model.Parameters), PrecisionPolicy.For(JobPrecision.MixedBFloat16), CpuDevice.Instance);
        using var plain = new Replica(copies.Layout, PrecisionPolicy.For(JobPrecision.Float32), CpuDevice.Instance);
        copies.Initialise(5);
        copies.RefreshAll();
        plain.Initialise(5);
        var (lossOfCopies, gradientsOfCopies) = Backward(model, copies, input, labels);
        var (lossOfPlain, gradientsOfPlain) = Backward(model, plain, input, labels);

        Assert.Equal(lossOfPlain, lossOfCopies);
        for (var i = 0; i < model.Parameters.Count; i++)
        {
            Assert.Equal(model.Parameters[i].Lowered ? ScalarType.BFloat16 : ScalarType.Float32, gradientsOfCopies[i].dtype);
            Assert.Equal(
                gradientsOfPlain[i].flatten().data<float>().ToArray(),
                gradientsOfCopies[i].to_type(ScalarType.Float32).flatten().data<float>().ToArray());
        }
    }

    private static (float Loss, Tensor[] Gradients) Backward(IModel model, Replica replica, Tensor input, Tensor labels)
    {
        var leaves = replica.CreateLeaves();
        Tensor loss;
        using (PrecisionPolicy.For(JobPrecision.MixedBFloat16).Forward(DeviceType.CPU))
            loss = model.Loss.Sum(model.Forward(leaves, input, DropoutMask.Off), labels);
        loss.backward();
        return (loss.item<float>(), [.. leaves.Select(l => l.grad!)]);
    }
}
