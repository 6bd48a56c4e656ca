using Distributed.Core.Canonical;
using Distributed.Training.Kernels;
using Distributed.Training.Parameters;

namespace Distributed.Training.Optim;

/// <summary>Applies a decided step to one owner's run of blocks: clips, updates the master weights, refreshes the working copies.</summary>
/// <remarks>
/// A parameter without gradient is not stepped, as in PyTorch. The run is updated piece by piece, so that clipping and the cast to
/// working copies find a piece in the cache; pieces are whole vectors, so cutting changes no bit.
/// </remarks>
internal sealed unsafe class OwnerUpdate : IDisposable
{
    /// <summary>Elements: small enough for the cache, large enough that a call into libtorch costs nothing beside it.</summary>
    private const long PieceElements = 131072;

    private readonly Replica replica;
    private readonly FlatOptimizer optimizer;
    private readonly long from;
    private readonly long count;
    private readonly OptimizerSegment[] merged;
    private readonly Lazy<OptimizerSegment[]> single;

    public OwnerUpdate(Replica replica, FlatOptimizer optimizer, BlockRun run)
    {
        this.replica = replica;
        this.optimizer = optimizer;
        from = run.Start;
        count = run.Count;
        merged = Cut(merge: true);
        single = new(() => Cut(merge: false));
    }

    /// <param name="touched">By parameter: some micro-batch gave it a gradient.</param>
    public void Apply(float clipCoefficient, double lr, bool[] touched)
    {
        if (count == 0) return;
        var alike = Array.TrueForAll(touched, t => t)
            && optimizer.ParameterUpdates.AsSpan().IndexOfAnyExcept(optimizer.ParameterUpdates[0]) < 0;
        foreach (var segment in alike ? merged : single.Value)
        {
            var parameter = segment.Parameters[0];
            if (!alike && !touched[parameter]) continue;
            if (clipCoefficient != 1) optimizer.Device.Scale((float*)segment.GradientAddress, segment.Count, clipCoefficient);
            optimizer.Apply(segment, optimizer.ParameterUpdates[parameter] + 1, optimizer.WeightDecayOf(parameter), lr);
            segment.Refresh();
        }
    }

    public void Dispose()
    {
        foreach (var segment in merged) segment.Dispose();
        if (single.IsValueCreated)
            foreach (var segment in single.Value) segment.Dispose();
    }

    private OptimizerSegment[] Cut(bool merge)
    {
        var segments = new List<OptimizerSegment>();
        long start = 0, end = 0;
        List<int> members = [];
        foreach (var slot in replica.Layout.ByOffset)
        {
            long a = Math.Max(from, slot.Offset), b = Math.Min(from + count, slot.Offset + slot.PaddedCount);
            if (a >= b) continue;
            var joins = merge && members.Count > 0 && end == a
                && optimizer.WeightDecayOf(members[0]) == optimizer.WeightDecayOf(slot.Index);
            if (!joins)
            {
                Close();
                start = a;
            }
            members.Add(slot.Index);
            end = b;
        }
        Close();
        return [.. segments];

        void Close()
        {
            for (var at = start; members.Count > 0 && at < end; at += PieceElements)
                segments.Add(new OptimizerSegment(replica, optimizer, at, Math.Min(PieceElements, end - at), members));
            members = [];
        }
    }
}
