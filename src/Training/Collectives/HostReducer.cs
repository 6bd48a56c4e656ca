using System.Runtime.InteropServices;
using Distributed.Core.Canonical;
using Distributed.Training.Parameters;

namespace Distributed.Training.Collectives;

/// <summary>Reduces an owner's run of blocks straight from all ranks' gradients in shared memory; one per rank, used by its thread alone.</summary>
internal sealed unsafe class HostReducer(ParameterLayout layout, BlockRun run) : IDisposable
{
    private const int Block = BlockPlan.BlockElements;
    private readonly ParameterSlot[] slots = [.. layout.ByOffset.Where(s => s.Offset < run.End && s.Offset + s.Count > run.Start)];
    private GradientSource[] stack = [];
    private float* scratch;

    /// <summary>Sums in the canonical tree, checks the scaled sums, unscales to the mean, and leaves each block's norm.</summary>
    /// <param name="reduced">Flat FP32 buffer [layout.Length]; only this run is written.</param>
    /// <param name="blockNorms">Sum of squares by block [layout.Blocks]; only this run is written.</param>
    /// <returns>True if a scaled sum is not finite.</returns>
    public bool Reduce(
        IReadOnlyList<GradientPartial> partials, FoldProgram program, float inverseScale, float meanFactor, nint reduced, double[] blockNorms)
    {
        Reserve(program.Depth);
        var found = false;
        var next = 0;
        for (var from = run.Start; from < run.End; from += Block)
        {
            var to = from + Block;
            while (next < slots.Length && slots[next].Offset + slots[next].Count <= from) next++;
            for (var i = next; i < slots.Length && slots[i].Offset < to; i++)
            {
                var slot = slots[i];
                var start = Math.Max(from, slot.Offset);
                var count = Math.Min(to, slot.Offset + slot.Count) - start;
                if (count <= 0) continue;
                var target = (float*)reduced + start;
                if (Fold(partials, program, slot.Index, start - slot.Offset, target, count))
                    found |= HostKernels.CheckAndUnscale(target, count, inverseScale, meanFactor);
                else
                    new Span<float>(target, (int)count).Clear();
            }
            blockNorms[from / Block] = HostKernels.SumOfSquares((float*)reduced + from, Block);
        }
        return found;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(scratch);
        scratch = null;
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
            HostKernels.Add(left, right, 0, sum, count);
            stack[height - 1] = new GradientSource((nint)sum, false);
        }
        if (stack[0].IsNone) return false;
        HostKernels.Load(stack[0], 0, target, count);
        return true;
    }

    /// <summary>A sum that sank in the stack moves to its new height's scratch, so that the next one up does not overwrite it.</summary>
    private GradientSource MoveDown(GradientSource value, int height, long count)
    {
        if (value.Address != (nint)(scratch + (long)height * Block)) return value;
        var target = scratch + (long)(height - 1) * Block;
        HostKernels.Load(value, 0, target, count);
        return new GradientSource((nint)target, false);
    }

    private static GradientSource Skip(GradientSource source, long elements) =>
        source.IsNone ? source : source with { Address = source.Address + (nint)(elements * (source.IsBFloat16 ? 2 : 4)) };

    private void Reserve(int depth)
    {
        if (stack.Length >= depth) return;
        NativeMemory.AlignedFree(scratch);
        scratch = (float*)NativeMemory.AlignedAlloc((nuint)depth * Block * sizeof(float), 64);
        stack = new GradientSource[depth];
    }
}
