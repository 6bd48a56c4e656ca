using System.Numerics;
using System.Runtime.InteropServices;

namespace Distributed.Core.Values;

/// <summary>Finds the numbers that are infinite or NaN.</summary>
public static class FiniteScan
{
    private const uint Exponent = 0x7f800000;

    /// <returns>Index of the first one; -1 when all are finite.</returns>
    public static int FirstNonFinite(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var mask = new Vector<uint>(Exponent);
        var i = 0;
        for (; i <= bits.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            if (Vector.EqualsAny(new Vector<uint>(bits[i..]) & mask, mask)) break;
        }

        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Exponent) == Exponent) return i;
        }

        return -1;
    }
}
