using System.Runtime.InteropServices;
using CsCheck;
using Distributed.Core.Checkpoints;
using Distributed.Testing;

namespace Distributed.Core.Tests.Checkpoints;

public sealed class CheckpointDiffTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void Compare_OneTensorOfEachKind_SaysHow()
    {
        var differences = Compare(
            [F32("same", 1, 2), F32("changed", 1, 2, 3), F32("zero", 0f), F32("shape", 1, 2), F32("gone", 1), F32("nan", 1, 2)],
            [F32("same", 1, 2), F32("changed", 1, 2.5f, 1), F32("zero", -0f), F32("shape", 1), F32("new", 1), F32("nan", float.NaN, 5)]);

        Assert.Equal(
            [
                new("changed", TensorComparison.Differs, 2, 1, 2), new("gone", TensorComparison.OnlyInFirst),
                new("nan", TensorComparison.Differs, double.NaN, 0, 2), new("new", TensorComparison.OnlyInSecond),
                new("same", TensorComparison.Equal), new("shape", TensorComparison.OtherShape),
                new("zero", TensorComparison.Differs, 0, 0, 1),
            ],
            differences);
    }

    [Fact]
    public void Compare_LongTensors_FindsTheFirstDifferenceBeyondOnePiece() =>
        Gen.Int[0, 699_999].Sample(index =>
        {
            var values = new float[700_000];
            var other = (float[])values.Clone();
            other[index] = -3;

            Assert.Equal(
                [new TensorDifference("w", TensorComparison.Differs, 3, index, 1)], Compare([F32("w", values)], [F32("w", other)]));
        }, iter: 10, threads: 1);

    [Theory]
    [InlineData(TensorDtype.BF16, "803F", "0040", 1)]
    [InlineData(TensorDtype.F16, "003C", "0040", 1)]
    [InlineData(TensorDtype.I64, "0500000000000000", "FFFFFFFFFFFFFFFF", 6)]
    [InlineData(TensorDtype.F64, "000000000000F03F", "0000000000000040", 1)]
    [InlineData(TensorDtype.U8, "FF", "01", 254)]
    [InlineData(TensorDtype.I8, "FF", "01", 2)]
    [InlineData(TensorDtype.F8E4M3, "FF", "01", double.NaN)]
    [InlineData(TensorDtype.C64, "0000803F00000000", "0000004000000000", double.NaN)]
    public void Compare_OtherElementTypes_ReadsTheirValues(TensorDtype dtype, string first, string second, double expected)
    {
        var shape = new TensorShape("w", dtype, new([1]));

        Assert.Equal(
            expected, Assert.Single(Compare([(shape, Convert.FromHexString(first))], [(shape, Convert.FromHexString(second))])).MaxAbs);
    }

    private IReadOnlyList<TensorDifference> Compare((TensorShape, byte[])[] first, (TensorShape, byte[])[] second)
    {
        using var a = Open("a", first);
        using var b = Open("b", second);
        return CheckpointDiff.Compare(a, b);
    }

    private SafetensorsFile Open(string name, (TensorShape Shape, byte[] Data)[] tensors)
    {
        using (var stream = File.Create(directory.File(name)))
            SafetensorsWriter.Write(stream, [.. tensors.Select(t => t.Shape)], null, (i, sink) => sink.Write(tensors[i].Data));
        return SafetensorsFile.Open(directory.File(name));
    }

    private static (TensorShape, byte[]) F32(string name, params float[] values) =>
        (new(name, TensorDtype.F32, new([values.Length])), MemoryMarshal.AsBytes(values.AsSpan()).ToArray());
}
