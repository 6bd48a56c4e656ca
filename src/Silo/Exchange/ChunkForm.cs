using Distributed.Core.Canonical;

namespace Distributed.Silo.Exchange;

/// <summary>
/// Where things are in the body of a chunk: first what goes with the gradients, then FP32 elements from a 64-byte boundary on.
/// </summary>
/// <remarks>
/// Of a silo: presence bits of each of its partials, its losses by micro-batch (first slice only), then its partials, those without any
/// gradient left out. Of a sum: presence and norms, the losses of all silos (first slice only), then the elements. Little-endian.
/// </remarks>
internal static class ChunkForm
{
    private const int Alignment = 64;

    /// <value>Bytes of a slice's elements.</value>
    public static int SliceBytes(ExchangePlan plan, int slice) => plan.Slices[slice].Length * sizeof(float);

    /// <summary>Where a silo's losses stand in a chunk of its own: from Start to End; empty but in the first slice.</summary>
    public static (int Start, int End) Losses(ExchangePlan plan, int silo, int slice, int presenceBytes)
    {
        var start = plan.Partials[silo].Count * presenceBytes;
        return (start, slice == 0 ? start + (plan.SiloRuns[silo].Count * sizeof(double)) : start);
    }

    /// <summary>Where the losses of all silos stand in a sum.</summary>
    public static (int Start, int End) Losses(ExchangePlan plan, int slice, int trailerBytes) =>
        (trailerBytes, slice == 0 ? trailerBytes + (plan.SiloRuns[^1].End * sizeof(double)) : trailerBytes);

    /// <summary>Where the elements begin.</summary>
    public static int ElementsAt(int besideEnd) => (besideEnd + Alignment - 1) / Alignment * Alignment;
}
