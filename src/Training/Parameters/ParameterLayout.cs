using Distributed.Core.Canonical;
using static TorchSharp.torch;

namespace Distributed.Training.Parameters;

/// <summary>
/// Where each parameter lies in the flat buffers of weights, gradients and moments: last parameter first, each padded with zeros.
/// </summary>
/// <remarks>A function of the model alone. The end is padded to a whole block, so runs of blocks cover everything evenly.</remarks>
internal sealed class ParameterLayout
{
    /// <summary>Parameters start at multiples of this, so that vector loops have no tail that depends on how the work is cut.</summary>
    private const int Alignment = 64;

    public ParameterLayout(IReadOnlyList<ParameterSpec> parameters)
    {
        Parameters = parameters;
        var slots = new ParameterSlot[parameters.Count];
        long offset = 0;
        for (var i = parameters.Count - 1; i >= 0; i--)
        {
            slots[i] = new ParameterSlot(i, parameters[i], offset);
            offset += slots[i].PaddedCount;
        }
        Slots = slots;
        ByOffset = [.. slots.Reverse()];
        Length = BlockPlan.Blocks(offset) * BlockPlan.BlockElements;
    }

    public IReadOnlyList<ParameterSpec> Parameters { get; }

    /// <summary>In parameter order.</summary>
    public IReadOnlyList<ParameterSlot> Slots { get; }

    /// <summary>In the order of the flat buffer.</summary>
    public IReadOnlyList<ParameterSlot> ByOffset { get; }

    /// <value>Elements of a flat buffer, whole blocks.</value>
    public long Length { get; }

    public int Blocks => (int)(Length / BlockPlan.BlockElements);

    /// <value>Elements without padding.</value>
    public long ParameterCount => Parameters.Sum(p => p.Count);

    internal static long Pad(long count) => (count + Alignment - 1) / Alignment * Alignment;
}

/// <param name="Index">Place in parameter order.</param>
/// <param name="Offset">First element in the flat buffer.</param>
internal sealed record ParameterSlot(int Index, ParameterSpec Spec, long Offset)
{
    public long Count => Spec.Count;

    public long PaddedCount { get; } = ParameterLayout.Pad(Spec.Count);

    /// <summary>The parameter's part of a flat buffer in its logical shape: a view; the caller disposes.</summary>
    public Tensor In(Tensor flat)
    {
        using var run = flat.narrow(0, Offset, Count);
        if (!Spec.ChannelsLast) return run.view(Spec.Shape);
        var s = Spec.Shape;
        using var stored = run.view(s[0], s[2], s[3], s[1]);
        return stored.permute(0, 3, 1, 2);
    }
}
