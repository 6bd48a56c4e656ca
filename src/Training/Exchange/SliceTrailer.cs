using Distributed.Core.Canonical;

namespace Distributed.Training.Exchange;

/// <summary>Bytes that go with a slice: which of the parameters it touches are present, and the norms of a reduced one.</summary>
internal static class SliceTrailer
{
    /// <value>A bit for each parameter, in whole 64-bit words.</value>
    public static int PresenceBytes(int parameters) => (parameters + 63) / 64 * sizeof(ulong);

    /// <value>Presence, then a norm (FP64, little-endian) for each block.</value>
    public static int SumBytes(int parameters, int elements) =>
        PresenceBytes(parameters) + ((int)BlockPlan.Blocks(elements) * sizeof(double));

    public static bool Has(ReadOnlySpan<byte> presence, int parameter) => (presence[parameter / 8] >> (parameter % 8) & 1) != 0;

    public static void Mark(Span<byte> presence, int parameter) => presence[parameter / 8] |= (byte)(1 << (parameter % 8));
}
