using CsCheck;
using Distributed.Core.Canonical;

namespace Distributed.Core.Tests.Canonical;

/// <summary>Sums are strings with parentheses here, so that equal text is equal association.</summary>
public sealed class CanonicalTreeTests
{
    [Theory]
    [InlineData(1, "0")]
    [InlineData(3, "((0+1)+2)")]
    [InlineData(6, "(((0+1)+(2+3))+(4+5))")]
    [InlineData(7, "(((0+1)+(2+3))+((4+5)+6))")]
    [InlineData(8, "(((0+1)+(2+3))+((4+5)+(6+7)))")]
    public void Fold_Leaves_GivesTheTree(int microBatches, string expected) => Assert.Equal(expected, FoldLeaves(microBatches));

    [Fact]
    public void Fold_AnyContiguousCut_GivesTheAssociationOfOneRank() =>
        Gen.Int[1, 40].SelectMany(v => Gen.Select(Gen.Const(v), Gen.Int[0, v].Array[0, 5])).Sample((microBatches, inner) =>
        {
            int[] cuts = [0, .. inner.Order(), microBatches];
            var partials = cuts.Zip(cuts.Skip(1)).SelectMany(run => SumOfRun(run.First, run.Second));
            Assert.Equal(FoldLeaves(microBatches), CanonicalTree.Fold(partials, Plus));
        }, iter: 5000);

    [Fact]
    public void Partials_AnyRun_AreWhatARunningSumIsLeftWith() =>
        Gen.Select(Gen.Int[0, 100], Gen.Int[0, 100]).Sample((start, count) =>
        {
            var partials = CanonicalTree.Partials(start, start + count);
            Assert.Equal(SumOfRun(start, start + count).Select(p => new MicroBatchRun(p.Start, p.End)), partials);
            Assert.Equal(partials.Count, CanonicalTree.CountPartials(start, start + count));
        });

    [Fact]
    public void Fold_GapOverlapMisalignedOrEmpty_IsRefused()
    {
        Refuses();
        Refuses((1, 2));
        Refuses((0, 1), (2, 3));
        Refuses((0, 2), (1, 2));
        Refuses((0, 3));
        Refuses((0, 1), (1, 3));

        static void Refuses(params (int Start, int End)[] blocks) =>
            Assert.Throws<ArgumentException>(() => CanonicalTree.Fold(blocks.Select(b => (b.Start, b.End, "x")), Plus));
    }

    private static string FoldLeaves(int microBatches) =>
        CanonicalTree.Fold(Enumerable.Range(0, microBatches).Select(i => (i, i + 1, $"{i}")), Plus);

    private static IEnumerable<(int Start, int End, string Value)> SumOfRun(int start, int end)
    {
        var sum = new CanonicalSum<string>(Plus);
        for (var i = start; i < end; i++) sum.Add(new(i, i + 1), $"{i}");
        return sum.Blocks.Select(b => (b.Block.Start, b.Block.End, b.Value));
    }

    private static string Plus(string left, string right) => $"({left}+{right})";
}
