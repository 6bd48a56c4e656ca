using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Devices;
using Distributed.Training.Kernels;
using Distributed.Training.Reduction;

namespace Distributed.Training.Exchange;

/// <summary>
/// Reduces slices where the partials of all silos come together, with the arithmetic and the bits of one silo. Used by
/// one thread at a time.
/// </summary>
public sealed unsafe class SliceReducer : IDisposable
{
    private readonly FlatRange[] ranges;
    private readonly (int First, int End)[] touching;
    private readonly GradientPartial[] operands;
    private readonly FoldProgram program;
    private readonly BlockReducer reducer;
    private readonly double[] blockNorms;

    /// <exception cref="ArgumentException">The layout contradicts itself.</exception>
    public SliceReducer(SliceLayout layout)
    {
        Check(layout);
        Plan = ExchangePlan.For(layout.Elements, layout.SiloRuns);
        ranges = [.. layout.Parameters.Select((p, i) => new FlatRange(i, p.Offset, p.Count))];
        touching = [.. Plan.Slices.Select(s => FlatRange.Touching(ranges, new BlockRun(s.Start, s.End)))];
        var runs = Plan.Partials.SelectMany(p => p).ToList();
        operands = [.. runs.Select(r => new GradientPartial(r.Start, r.End, ranges.Length))];
        program = FoldProgram.For(runs.Select(r => (r.Start, r.End)));
        reducer = new BlockReducer(ranges, CpuDevice.Instance);
        blockNorms = new double[BlockPlan.Blocks(layout.Elements)];
    }

    public ExchangePlan Plan { get; }

    /// <inheritdoc cref="ExchangeBuffers.PresenceBytes"/>
    public int PresenceBytes(int slice) => SliceTrailer.PresenceBytes(touching[slice].End - touching[slice].First);

    /// <inheritdoc cref="ExchangeBuffers.SumTrailerBytes"/>
    public int SumTrailerBytes(int slice) => SliceTrailer.SumBytes(touching[slice].End - touching[slice].First, Plan.Slices[slice].Length);

    /// <summary>Sums a slice over all silos, unscales it to the mean, and writes what goes beside it.</summary>
    /// <param name="partials">Of all silos, in rank order.</param>
    /// <param name="sum">Room for the slice, FP32, 64-byte aligned.</param>
    /// <param name="trailer"><see cref="SumTrailerBytes"/> long.</param>
    /// <returns>Whether a scaled sum in it is not finite.</returns>
    public bool Reduce(int slice, IReadOnlyList<SliceOperand> partials, GradientFactors factors, nint sum, Span<byte> trailer)
    {
        var part = Plan.Slices[slice];
        var (first, end) = touching[slice];
        trailer.Clear();
        for (var k = 0; k < operands.Length; k++)
        {
            var presence = new ReadOnlySpan<byte>((void*)partials[k].Presence, PresenceBytes(slice));
            for (var i = first; i < end; i++)
            {
                var present = SliceTrailer.Has(presence, i - first);
                operands[k].Sources[i] = present
                    ? new GradientSource(At(partials[k].Address, ranges[i].Offset - part.Start), false)
                    : default;
                if (present) SliceTrailer.Mark(trailer, i - first);
            }
        }
        // Norms are taken over whole blocks: the padding between parameters counts as zero.
        new Span<float>((void*)sum, part.Length).Clear();
        var found = reducer.Reduce(new BlockRun(part.Start, part.End), operands, program, factors, At(sum, -part.Start), blockNorms);
        var norms = trailer[PresenceBytes(slice)..];
        for (var b = 0; b < norms.Length / sizeof(double); b++)
            BinaryPrimitives.WriteDoubleLittleEndian(norms[(b * sizeof(double))..], blockNorms[(part.Start / BlockPlan.BlockElements) + b]);
        return found;
    }

    public void Dispose() => reducer.Dispose();

    private static nint At(nint address, long elements) => address + (nint)(elements * sizeof(float));

    private static void Check(SliceLayout layout)
    {
        if (layout.Elements < 1 || layout.Elements % BlockPlan.BlockElements != 0)
            throw new ArgumentException(
                $"found {layout.Elements} elements, expected whole blocks of {BlockPlan.BlockElements}", nameof(layout));
        var last = 0;
        foreach (var run in layout.SiloRuns)
        {
            if (run.Start != last || run.End <= last)
                throw new ArgumentException(
                    $"found micro-batches {run.Start} to {run.End} behind {last}, expected contiguous runs from 0 on", nameof(layout));
            last = run.End;
        }
        long behind = 0;
        foreach (var (offset, count) in layout.Parameters)
        {
            if (offset < behind || count < 0 || offset > layout.Elements - count)
                throw new ArgumentException(
                    $"found a parameter of {count} elements at {offset}, expected one within {behind} and {layout.Elements}",
                    nameof(layout));
            behind = offset + count;
        }
    }
}

/// <summary>One silo's partial of a slice.</summary>
/// <param name="Address">Of its FP32 elements; not read where nothing is present.</param>
/// <param name="Presence">Address of its presence bits.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SliceOperand(nint Address, nint Presence);
