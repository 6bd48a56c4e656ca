using Distributed.Core.Canonical;
using Distributed.Core.Jobs;
using Distributed.Training.Devices;
using Distributed.Training.Kernels;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Reduction;

/// <summary>
/// Collects one rank's gradients, parameter by parameter, and merges equal aligned neighbours of the canonical tree as they come.
/// </summary>
/// <remarks>A gradient is merged the moment it is taken, so it is still in the cache when backward's hook hands it over.</remarks>
internal sealed unsafe class GradientAccumulator(ParameterLayout layout, IDeviceRuntime device) : IDisposable
{
    private readonly FlatGradientPool pool = new(layout.Length, device);
    private readonly List<GradientPartial> partials = [];

    /// <summary>Left operands of the merges that the open micro-batch causes, the smallest first.</summary>
    private readonly List<(GradientPartial Left, FlatGradient Sum)> merges = [];
    private readonly bool[] taken = new bool[layout.Slots.Count];
    private GradientPartial? open;

    /// <summary>A gradient whose pieces are merged as they are made; null between such gradients.</summary>
    private Tensor? unmade;

    /// <summary>The partials that travel, in micro-batch order; complete in number when the last micro-batch is begun.</summary>
    public IReadOnlyList<GradientPartial> Partials => partials;

    /// <summary>Opens the micro-batch that follows the last one.</summary>
    public void Begin(int microBatch)
    {
        var (start, end) = (microBatch, microBatch + 1);
        while (partials.Count > 0
            && CanonicalTree.Merges(new MicroBatchRun(partials[^1].Start, partials[^1].End), new MicroBatchRun(start, end)))
        {
            var left = partials[^1];
            partials.RemoveAt(partials.Count - 1);
            merges.Add((left, left.Flat ?? pool.Rent()));
            start = left.Start;
        }
        open = new GradientPartial(start, end, layout.Slots.Count);
        partials.Add(open);
    }

    /// <summary>
    /// Takes the gradient that backward left on a leaf, if there is one that was not taken yet; the leaf is bare afterwards.
    /// </summary>
    public void Take(int parameter, Tensor leaf)
    {
        if (taken[parameter]) return;
        taken[parameter] = true;
        var gradient = leaf.grad;
        if (gradient is null)
        {
            Merge(parameter, default);
            return;
        }
        leaf.grad = null;
        gradient = InMemoryOrder(gradient, leaf, layout.Slots[parameter]).DetachFromDisposeScope();
        var source = SourceOf(gradient);
        if (merges.Count == 0)
        {
            open!.Hold(parameter, gradient, source);
            return;
        }
        Merge(parameter, source);
        gradient.Dispose();
    }

    /// <summary>Takes a gradient that is made piece by piece, before any piece of it is there.</summary>
    /// <param name="gradient">In the leaf's memory order, detached from dispose scopes; taken over.</param>
    public void TakeUnmade(int parameter, Tensor gradient)
    {
        taken[parameter] = true;
        var source = SourceOf(gradient);
        if (merges.Count == 0) open!.Hold(parameter, gradient, source);
        else (unmade, open!.Sources[parameter]) = (gradient,
            new GradientSource(merges[^1].Sum.Address + (nint)(layout.Slots[parameter].Offset * sizeof(float)), false));
    }

    /// <summary>Elements of a gradient taken before are there now, all earlier ones too.</summary>
    /// <param name="from">First element of the parameter.</param>
    /// <param name="to">Element behind the last.</param>
    public void Made(int parameter, long from, long to)
    {
        if (unmade is null) return;
        MergeElements(parameter, SourceOf(unmade), from, to);
        if (to < layout.Slots[parameter].Count) return;
        foreach (var (left, _) in merges) left.Release(parameter);
        unmade.Dispose();
        unmade = null;
    }

    /// <summary>Closes the micro-batch: takes what no one has taken yet, and gives back what merged away.</summary>
    public void End(IReadOnlyList<Tensor> leaves)
    {
        for (var i = 0; i < leaves.Count; i++) Take(i, leaves[i]);
        Close();
    }

    /// <summary>Closes a micro-batch without samples: no gradient, which adds nothing.</summary>
    public void EndEmpty()
    {
        for (var i = 0; i < taken.Length; i++) Merge(i, default);
        Close();
    }

    /// <summary>Gives all gradients back; after every owner has read them.</summary>
    public void Clear()
    {
        foreach (var partial in partials) partial.Dispose();
        partials.Clear();
    }

    public void Dispose()
    {
        // A micro-batch that broke off still holds what it was to merge with.
        foreach (var (left, sum) in merges)
        {
            if (left.Flat is null) sum.Return();
            left.Dispose();
        }
        merges.Clear();
        unmade?.Dispose();
        Clear();
        pool.Dispose();
    }

    private void Merge(int parameter, GradientSource value)
    {
        value = MergeElements(parameter, value, 0, layout.Slots[parameter].Count);
        foreach (var (left, _) in merges) left.Release(parameter);
        open!.Sources[parameter] = value;
    }

    /// <returns>Where the parameter's sum lies.</returns>
    private GradientSource MergeElements(int parameter, GradientSource value, long from, long to)
    {
        var slot = layout.Slots[parameter];
        foreach (var (left, sum) in merges)
        {
            var before = left.Sources[parameter];
            if (before.IsNone && value.IsNone) continue;
            var target = (float*)sum.Address + slot.Offset;
            if (before.IsNone) device.Load(value, from, target + from, to - from);
            else if (value.IsNone) device.Load(before, from, target + from, to - from);
            else device.Add(before, value, from, target + from, to - from);
            value = new GradientSource((nint)target, false);
        }
        return value;
    }

    private GradientSource SourceOf(Tensor gradient) => new(device.Address(gradient), gradient.dtype == ScalarType.BFloat16);

    private void Close()
    {
        for (var i = 0; i < merges.Count; i++)
        {
            var (left, sum) = merges[i];
            if (i == merges.Count - 1) open!.BecomeSum(sum);
            else sum.Return();
            left.Abandon();
        }
        merges.Clear();
        Array.Clear(taken);
        open = null;
    }

    /// <summary>Autograd keeps a gradient in its leaf's memory order; anything else is copied into that order.</summary>
    private static Tensor InMemoryOrder(Tensor gradient, Tensor leaf, ParameterSlot slot)
    {
        if (gradient.dtype != leaf.dtype)
            throw new JobException(
                ErrorCodes.Internal, $"The gradient of {slot.Spec.Name} is {gradient.dtype}, its parameter {leaf.dtype}.");
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
