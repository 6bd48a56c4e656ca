using Distributed.Core;
using Distributed.Core.Canonical;
using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Collectives;

/// <summary>Collects one rank's gradients, micro-batch by micro-batch, and merges equal aligned neighbours of the canonical tree as they finish.</summary>
internal sealed unsafe class GradientAccumulator(ParameterLayout layout) : IDisposable
{
    private readonly FlatGradientPool pool = new(layout.Length);
    private readonly List<GradientPartial> partials = [];

    /// <summary>The partials that travel, in micro-batch order.</summary>
    public IReadOnlyList<GradientPartial> Partials => partials;

    /// <summary>Takes the gradients that a micro-batch's backward left on the leaves; the leaves are bare afterwards.</summary>
    public void Take(int microBatch, IReadOnlyList<Tensor> leaves)
    {
        var partial = new GradientPartial(microBatch, microBatch + 1, leaves.Count);
        for (var i = 0; i < leaves.Count; i++)
        {
            var gradient = leaves[i].grad;
            if (gradient is null) continue;
            leaves[i].grad = null;
            gradient = InMemoryOrder(gradient, leaves[i], layout.Slots[i]).DetachFromDisposeScope();
            partial.Hold(i, gradient, TensorMemory.Address(gradient));
        }
        Push(partial);
    }

    /// <summary>Notes a micro-batch without samples: no gradient, which adds nothing.</summary>
    public void TakeEmpty(int microBatch) => Push(new GradientPartial(microBatch, microBatch + 1, layout.Slots.Count));

    /// <summary>Gives all gradients back; after every owner has read them.</summary>
    public void Clear()
    {
        foreach (var partial in partials) partial.Dispose();
        partials.Clear();
    }

    public void Dispose()
    {
        Clear();
        pool.Dispose();
    }

    private void Push(GradientPartial partial)
    {
        partials.Add(partial);
        while (partials.Count > 1)
        {
            var (left, right) = (partials[^2], partials[^1]);
            if (!CanonicalTree.Merges(new MicroBatchRun(left.Start, left.End), new MicroBatchRun(right.Start, right.End))) return;
            Merge(left, right);
            partials.RemoveAt(partials.Count - 1);
        }
    }

    private void Merge(GradientPartial left, GradientPartial right)
    {
        var sum = left.Flat ?? pool.Rent();
        for (var i = 0; i < layout.Slots.Count; i++)
        {
            var (a, b) = (left.Sources[i], right.Sources[i]);
            if (a.IsNone && b.IsNone) continue;
            var slot = layout.Slots[i];
            var target = (float*)sum.Address + slot.Offset;
            if (a.IsNone) HostKernels.Load(b, 0, target, slot.Count);
            else if (b.IsNone) HostKernels.Load(a, 0, target, slot.Count);
            else HostKernels.Add(a, b, 0, target, slot.Count);
            left.Sources[i] = new GradientSource((nint)target, false);
        }
        left.BecomeSum(sum, right.End);
        right.Dispose();
    }

    /// <summary>Autograd keeps a gradient in its leaf's memory order; anything else is copied into that order.</summary>
    private static Tensor InMemoryOrder(Tensor gradient, Tensor leaf, ParameterSlot slot)
    {
        if (gradient.dtype != leaf.dtype)
            throw new JobException(ErrorCodes.Internal, $"The gradient of {slot.Spec.Name} is {gradient.dtype}, its parameter {leaf.dtype}.");
        var expected = leaf.stride();
        var actual = gradient.stride();
        var shape = leaf.shape;
        for (var d = 0; d < shape.Length; d++)
        {
            if (shape[d] == 1 || expected[d] == actual[d]) continue;
            using var _ = no_grad();
            var ordered = empty_like(leaf);
            ordered.copy_(gradient);
            gradient.Dispose();
            return ordered.detach();
        }
        return gradient;
    }
}
