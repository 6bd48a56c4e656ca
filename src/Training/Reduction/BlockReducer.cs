using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Devices;
using Distributed.Training.Kernels;

namespace Distributed.Training.Reduction;

/// <summary>
/// Sums runs of blocks straight from gradients in the device's memory, in the canonical tree. Used by one thread at a time.
/// </summary>
/// <param name="ranges">Where the parameters lie, in the order of the flat buffer.</param>
/// <param name="device">Whose memory all addresses are in.</param>
internal sealed unsafe class BlockReducer(FlatRange[] ranges, IDeviceRuntime device) : IDisposable
{
    private const int Block = BlockPlan.BlockElements;
    private GradientSource[] stack = [];
    private float* scratch;

    /// <summary>Sums a run, checks the scaled sums, unscales to the mean, and leaves each block's norm.</summary>
    /// <param name="run">Whole blocks.</param>
    /// <param name="reduced">Flat FP32 buffer; only this run's parameters are written.</param>
    /// <param name="blockNorms">Sum of squares by block of the flat buffer; only this run is written.</param>
    /// <returns>True if a scaled sum is not finite.</returns>
    public bool Reduce(
        BlockRun run, IReadOnlyList<GradientPartial> partials, FoldProgram program, GradientFactors factors, nint reduced,
        double[] blockNorms)
    {
        Reserve(program.Depth);
        var found = false;
        var next = FlatRange.FirstBehind(ranges, run.Start);
        for (var from = run.Start; from < run.End; from += Block)
        {
            var to = from + Block;
            while (next < ranges.Length && ranges[next].End <= from) next++;
            for (var i = next; i < ranges.Length && ranges[i].Offset < to; i++)
            {
                var (start, count) = Cut(ranges[i], from, to);
                var target = (float*)reduced + start;
                if (Fold(partials, program, ranges[i].Parameter, start - ranges[i].Offset, target, count))
                    found |= device.CheckAndUnscale(target, count, factors.InverseScale, factors.MeanFactor);
                else
                    device.Clear(target, count);
            }
            blockNorms[from / Block] = device.SumOfSquares((float*)reduced + from, Block);
        }
        return found;
    }

    /// <summary>Sums a run as it is; elements without gradient become +0.</summary>
    /// <param name="target">FP32 [run.Count]; padding between parameters is left as it is.</param>
    public void Sum(BlockRun run, IReadOnlyList<GradientPartial> partials, FoldProgram program, nint target)
    {
        Reserve(program.Depth);
        var next = FlatRange.FirstBehind(ranges, run.Start);
        for (var from = run.Start; from < run.End; from += Block)
        {
            var to = Math.Min(from + Block, run.End);
            while (next < ranges.Length && ranges[next].End <= from) next++;
            for (var i = next; i < ranges.Length && ranges[i].Offset < to; i++)
            {
                var (start, count) = Cut(ranges[i], from, to);
                var into = (float*)target + (start - run.Start);
                if (!Fold(partials, program, ranges[i].Parameter, start - ranges[i].Offset, into, count))
                    device.Clear(into, count);
            }
        }
    }

    public void Dispose()
    {
        device.Free((nint)scratch);
        scratch = null;
    }

    private static (long Start, long Count) Cut(FlatRange range, long from, long to)
    {
        var start = Math.Max(from, range.Offset);
        return (start, Math.Min(to, range.End) - start);
    }

    /// <returns>False if the parameter got no gradient anywhere.</returns>
    private bool Fold(IReadOnlyList<GradientPartial> partials, FoldProgram program, int parameter, long at, float* target, long count)
    {
        var height = 0;
        var operations = program.Operations;
        for (var k = 0; k < operations.Length; k++)
        {
            if (operations[k] != FoldProgram.AddTop)
            {
                stack[height++] = Skip(partials[operations[k]].Sources[parameter], at);
                continue;
            }
            var right = stack[--height];
            var left = stack[height - 1];
            if (right.IsNone) continue;
            if (left.IsNone)
            {
                stack[height - 1] = MoveDown(right, height, count);
                continue;
            }
            var sum = k == operations.Length - 1 ? target : scratch + (long)(height - 1) * Block;
            device.Add(left, right, 0, sum, count);
            stack[height - 1] = new GradientSource((nint)sum, false);
        }
        if (stack[0].IsNone) return false;
        device.Load(stack[0], 0, target, count);
        return true;
    }

    /// <summary>A sum that sank in the stack moves to its new height's scratch, so that the next one up does not overwrite it.</summary>
    private GradientSource MoveDown(GradientSource value, int height, long count)
    {
        if (value.Address != (nint)(scratch + (long)height * Block)) return value;
        var target = scratch + (long)(height - 1) * Block;
        device.Load(value, 0, target, count);
        return new GradientSource((nint)target, false);
    }

    private static GradientSource Skip(GradientSource source, long elements) =>
        source.IsNone ? source : source with { Address = source.Address + (nint)(elements * (source.IsBFloat16 ? 2 : 4)) };

    private void Reserve(int depth)
    {
        if (stack.Length >= depth) return;
        device.Free((nint)scratch);
        scratch = (float*)device.Allocate((long)depth * Block * sizeof(float));
        stack = new GradientSource[depth];
    }
}

/// <summary>What a scaled gradient sum is multiplied with, one after the other, each product rounded.</summary>
/// <param name="InverseScale">float32(1 / double(loss scale)).</param>
/// <param name="MeanFactor">microBatch / items of the global batch.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct GradientFactors(float InverseScale, float MeanFactor);
