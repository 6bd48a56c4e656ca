using CsCheck;
using Distributed.Core.Values;

namespace Distributed.Core.Tests;

public sealed class FiniteScanTests
{
    private static readonly float[] Bad = [float.NaN, float.PositiveInfinity, float.NegativeInfinity];

    [Fact]
    public void FirstNonFinite_AnyLengthAndPlace_IsThePlainSearch() =>
        Gen.Select(Gen.Int[0, 70], Gen.Int[0, 70].Array[0, 3], Gen.Int[0, 2]).Sample((length, places, kind) =>
        {
            var values = Enumerable.Range(0, length).Select(i => i % 3 == 0 ? float.MaxValue : -i * 1e-45f).ToArray();
            foreach (var place in places.Where(p => p < length)) values[place] = Bad[kind];

            Assert.Equal(Array.FindIndex(values, x => !float.IsFinite(x)), FiniteScan.FirstNonFinite(values));
        }, iter: 1000);
}
