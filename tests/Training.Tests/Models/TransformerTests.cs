using Distributed.Core.Models;
using Distributed.Training.Devices;
using Distributed.Training.Models;
using Distributed.Training.Parameters;
using Distributed.Training.Precision;
using TorchSharp;
using static TorchSharp.torch;
using JobPrecision = Distributed.Core.Spec.Precision;

namespace Distributed.Training.Tests.Models;

public sealed class TransformerTests : IDisposable
{
    private const int Sequence = 8;

    private readonly DisposeScope scope = NewDisposeScope();
    private readonly Transformer model = new(new TransformerOptions { Width = 16, Layers = 2, Heads = 4, Vocab = 11, Sequence = Sequence });
    private readonly Replica replica;

    public TransformerTests()
    {
        replica = new Replica(new ParameterLayout(model.Parameters), PrecisionPolicy.For(JobPrecision.Float32), CpuDevice.Instance);
        replica.Initialise(3);
    }

    public void Dispose()
    {
        replica.Dispose();
        scope.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(Sequence - 1)]
    public void Forward_TokenChanged_OnlyLaterLogitsChange(int changed)
    {
        using var _ = no_grad();
        var tokens = arange(Sequence, ScalarType.Int64).unsqueeze(0);
        var before = Forward(tokens);
        tokens[0, changed] = 10;
        var moved = Forward(tokens).sub(before).abs().amax(2).squeeze(0).data<float>().ToArray();

        Assert.All(moved[..changed], m => Assert.Equal(0, m));
        Assert.All(moved[changed..], m => Assert.True(m > 1e-3f));
    }

    [Fact]
    public void Forward_ShorterSample_IsThePrefixOfALongerOne()
    {
        using var _ = no_grad();
        var tokens = arange(Sequence, ScalarType.Int64).unsqueeze(0);
        var difference = Forward(tokens.narrow(1, 0, 3)).sub(Forward(tokens).narrow(1, 0, 3)).abs().max().item<float>();

        Assert.InRange(difference, 0, 1e-5f);
    }

    [Fact]
    public void Parameters_HaveNamesAndCountsOfPyTorch()
    {
        Assert.Equal(
            ["embedding.weight", "position.weight", "layers.0.norm1.weight", "layers.0.norm1.bias", "layers.0.self_attn.in_proj_weight",
                "layers.0.self_attn.in_proj_bias"],
            model.Parameters.Take(6).Select(p => p.Name));
        Assert.Equal(["norm.weight", "norm.bias", "head.weight", "head.bias"], model.Parameters.TakeLast(4).Select(p => p.Name));
        Assert.Equal(2 + (2 * 12) + 4, model.Parameters.Count);
        Assert.Equal((2 * ((12 * 256) + (13 * 16))) + ((11 + 8 + 2 + 11) * 16) + 11, model.Parameters.Sum(p => p.Count));
    }

    [Theory]
    [InlineData("layers.1.self_attn.in_proj_weight", 0.30618621784789724)]
    [InlineData("layers.1.self_attn.out_proj.weight", 0.25)]
    [InlineData("layers.1.linear2.weight", 0.125)]
    [InlineData("layers.1.linear1.bias", 0.25)]
    public void Initialise_UniformParameters_FillTheirRange(string name, double bound)
    {
        var largest = Value(name).abs().max().item<float>();

        Assert.InRange(largest, 0.8 * bound, bound);
    }

    [Fact]
    public void Initialise_Constants_AreThose()
    {
        Assert.True(Value("norm.weight").eq(1).all().item<bool>());
        foreach (var name in new[] { "norm.bias", "layers.0.norm2.bias", "layers.0.self_attn.in_proj_bias",
            "layers.0.self_attn.out_proj.bias" })
            Assert.True(Value(name).eq(0).all().item<bool>());
    }

    [Fact]
    public void Loss_IsSummedOverSamplesAndAveragedOverTokens()
    {
        var logits = zeros(3, 4, 11);
        logits[1, 2, 7] = 5;
        var labels = full([3, 4], 7L);
        var certain = Math.Log(10 + Math.Exp(5)) - 5;

        Assert.Equal(((11 * Math.Log(11)) + certain) / 4, model.Loss.Sum(logits, labels).item<float>(), 1e-5);
        // Of equal logits the first counts as the largest.
        Assert.Equal(1, model.Loss.Correct(logits, labels));
    }

    private Tensor Forward(Tensor tokens) => model.Forward(replica.CreateLeaves(), tokens, DropoutMask.Off);

    private Tensor Value(string name) => replica.Layout.Slots.Single(s => s.Spec.Name == name).In(replica.Master);
}
