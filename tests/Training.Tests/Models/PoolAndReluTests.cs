using Distributed.Training.Models;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Tests.Models;

/// <summary>The pass by hand and libtorch's operators, bit by bit.</summary>
public sealed class PoolAndReluTests
{
    public PoolAndReluTests() => NativeRuntime.Initialize();

    public static TheoryData<ScalarType, int, int, int, int> Shapes => new()
    {
        { ScalarType.Float32, 3, 32, 8, 6 },
        { ScalarType.BFloat16, 3, 32, 8, 6 },
        { ScalarType.Float32, 1, 16, 2, 2 },
        { ScalarType.BFloat16, 1, 16, 2, 2 },
        { ScalarType.Float32, 2, 64, 16, 16 },
        { ScalarType.BFloat16, 2, 64, 16, 16 },
        // Left to libtorch: channels that are no whole vectors, an odd height, another type.
        { ScalarType.Float32, 2, 10, 4, 4 },
        { ScalarType.Float32, 2, 16, 5, 4 },
        { ScalarType.Float16, 2, 16, 4, 4 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Apply_WithCuts_HasTheBitsOfTheOperators(ScalarType type, int batch, int channels, int height, int width)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(5);
        // Few values, so that many are equal; and the special ones.
        var x = randint(-3, 4, [batch, channels, height, width], generator: random).to_type(ScalarType.Float32).div(2);
        Sprinkle(x, [float.NaN, float.NegativeInfinity, float.PositiveInfinity, -0f, -1e-40f, 3e38f]);
        var g = randn([batch, channels, height / 2, width / 2], generator: random);
        Sprinkle(g, [float.NaN, -0f, float.PositiveInfinity, 1e-40f]);
        foreach (var isLast in (bool[])[true, false])
        {
            Tensor mine = Layout(x.to_type(type), isLast), theirs = mine.clone().detach(), gradient = Layout(g.to_type(type), isLast);
            // The input is no leaf, as that of a layer is none.
            Tensor myLeaf = mine.requires_grad_(), theirLeaf = theirs.requires_grad_();
            GraphCuts cuts = new();
            var y = PoolAndRelu.Apply(myLeaf.alias(), cuts);
            y.alias().backward([gradient]);
            cuts.Backward();
            var expected = PoolAndRelu.Apply(theirLeaf.alias());
            expected.backward([gradient]);
            AssertSame(expected.detach(), y.detach());
            AssertSame(theirLeaf.grad!, myLeaf.grad!);
            myLeaf.grad = null;
            var flat = PoolAndRelu.ApplyFlat(myLeaf.alias(), cuts);
            flat.alias().backward([gradient.flatten(1)]);
            cuts.Backward();
            AssertSame(expected.detach().flatten(1), flat.detach());
            AssertSame(theirLeaf.grad!, myLeaf.grad!);
        }
    }

    [Fact]
    public void Apply_NothingToLearnBefore_CutsNothing()
    {
        using var scope = NewDisposeScope();
        GraphCuts cuts = new();
        Assert.False(PoolAndRelu.Apply(ones(1, 16, 2, 2), cuts).requires_grad);
        cuts.Backward();
    }

    [Fact]
    public void Clear_ForgetsAForwardWithoutBackward()
    {
        using var scope = NewDisposeScope();
        GraphCuts cuts = new();
        var (forgotten, kept) = (ones(2).requires_grad_(), ones(2).requires_grad_());
        Tensor Doubled(Tensor x) => cuts.Add(x, (x.detach() + x.detach()).detach(), g => g + g);
        Doubled(forgotten.alias()).sum().backward();
        cuts.Clear();
        Doubled(kept.alias()).sum().backward();
        cuts.Backward();
        Assert.True(forgotten.grad is null);
        Assert.Equal(2, kept.grad![0].item<float>());
    }

    private static void Sprinkle(Tensor x, float[] values)
    {
        var flat = x.view(-1);
        for (var i = 0; i < Math.Min(flat.numel(), 4 * values.Length); i++) flat[(i * 7) % flat.numel()] = values[i % values.Length];
    }

    private static Tensor Layout(Tensor x, bool isLast) => isLast ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x;

    /// <summary>NaN of any payload is NaN; all else to the bit, signs of zeros too.</summary>
    private static void AssertSame(Tensor expected, Tensor found)
    {
        Tensor a = expected.contiguous(), b = found.contiguous();
        Assert.Equal(a.shape, b.shape);
        Assert.True(a.isnan().eq(b.isnan()).all().item<bool>());
        Assert.True(a.nan_to_num(1).bytes.SequenceEqual(b.nan_to_num(1).bytes));
    }
}
