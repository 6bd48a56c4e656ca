using CsCheck;
using Distributed.Core.Canonical;
using Distributed.Training.Devices;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using Distributed.Training.Reduction;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Tests.Reduction;

/// <summary>The fused reduction against the obvious one: libtorch's additions in tree order, then torch.amp's check and unscale.</summary>
public sealed class BlockReducerTests
{
    private static readonly Gen<(int MicroBatches, int Ranks, int Owners, bool Bf16, int Spoil, int Seed)> Cases =
        Gen.Select(Gen.Int[1, 13], Gen.Int[1, 4], Gen.Int[1, 3], Gen.Bool, Gen.Int[-1, 12], Gen.Int[0, 1 << 20]);

    [Fact]
    public void Reduce_AnyCutTypeAndSpoiledMicroBatch_IsBitwiseTheReference() =>
        Cases.Sample(
            c => Check(c.MicroBatches, Math.Min(c.Ranks, c.MicroBatches), c.Owners, c.Bf16, c.Spoil, c.Seed), iter: 60, threads: 1);

    private static void Check(int microBatches, int ranks, int owners, bool bf16, int spoil, int seed)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        random.manual_seed(seed);
        var layout = new ParameterLayout([new("a", [70, 61], Initialisation.FanIn(1)), new("b", [13], Initialisation.FanIn(1)),
            new("c", [5000], Initialisation.FanIn(1))]);
        var gradients = Enumerable.Range(0, microBatches).Select(m => layout.Parameters.Select(p => Draw(p, bf16)).ToArray()).ToArray();
        // Parameter b has no gradient in the micro-batches that the seed's bits name.
        bool Missing(int microBatch) => ((seed >> microBatch) & 1) == 1;
        if (spoil >= 0 && spoil < microBatches) gradients[spoil][2][4999] = float.NegativeInfinity;
        const float inverse = 1 / 3f, mean = 0.7f;

        var (flat, found, norms) = Reduce(layout, gradients, ranks, owners, inverse, mean, Missing);

        var expectedFound = zeros(1);
        foreach (var slot in layout.Slots)
        {
            var leaves = gradients.Select(
                (g, i) => (i, i + 1, slot.Index == 1 && Missing(i) ? null : g[slot.Index].to_type(ScalarType.Float32)));
            var sum = (CanonicalTree.Fold(leaves, (l, r) => l is null ? r : r is null ? l : l + r) ?? zeros(slot.Spec.Shape)).clone();
            Aten.NonFiniteCheckAndUnscale([sum], expectedFound, full(1, inverse));
            sum.mul_(mean);
            Assert.Equal(sum.flatten().data<float>().ToArray(), slot.In(flat).flatten().data<float>().ToArray());
        }
        Assert.Equal(expectedFound.item<float>() != 0, found);
        var byBlock = flat.view(-1, BlockPlan.BlockElements).to_type(ScalarType.Float64).square().sum(1).data<double>().ToArray();
        for (var b = 0; b < norms.Length; b++)
            if (double.IsFinite(byBlock[b])) Assert.InRange(Math.Abs(norms[b] - byBlock[b]), 0, 1e-9 * byBlock[b]);
            else Assert.False(double.IsFinite(norms[b]));
    }

    private static Tensor Draw(ParameterSpec spec, bool bf16) => randn(spec.Shape).to_type(bf16 ? ScalarType.BFloat16 : ScalarType.Float32);

    private static (Tensor Flat, bool Found, double[] Norms) Reduce(
        ParameterLayout layout, Tensor[][] gradients, int ranks, int owners, float inverse, float mean, Func<int, bool> missing)
    {
        var accumulators = new List<GradientAccumulator>();
        var partials = new List<GradientPartial>();
        foreach (var run in MicroBatchRuns.Plan(ranks, gradients.Length))
        {
            var accumulator = new GradientAccumulator(layout, CpuDevice.Instance);
            for (var m = run.Start; m < run.End; m++)
            {
                accumulator.Begin(m);
                accumulator.End(Leaves(gradients[m], missing(m)));
            }
            accumulators.Add(accumulator);
            partials.AddRange(accumulator.Partials);
        }
        var flat = zeros(layout.Length);
        var norms = new double[layout.Blocks];
        var program = FoldProgram.For(partials.Select(p => (p.Start, p.End)));
        var found = false;
        foreach (var owned in BlockPlan.Deal(layout.Length, owners))
        {
            using var reducer = new BlockReducer(FlatRange.Of(layout), CpuDevice.Instance);
            found |= reducer.Reduce(owned, partials, program, new GradientFactors(inverse, mean), TensorMemory.Address(flat), norms);
        }
        accumulators.ForEach(a => a.Dispose());
        return (flat, found, norms);
    }

    private static Tensor[] Leaves(Tensor[] gradients, bool withoutSecond) => [.. gradients.Select((g, i) =>
    {
        var leaf = zeros_like(g).requires_grad_();
        if (i != 1 || !withoutSecond) leaf.grad = g.clone();
        return leaf;
    })];
}
