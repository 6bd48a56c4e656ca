using Distributed.Core.Canonical;
using Distributed.Training.Collectives;
using Distributed.Training.Native;
using Distributed.Training.Parameters;

namespace Distributed.Training.Optim;

/// <summary>Applies a decided step to one owner's run of blocks: clips, updates the master weights, refreshes the working copies.</summary>
/// <remarks>A parameter without gradient is not stepped, as in PyTorch; segments are cut so that this changes no other element's bits.</remarks>
internal sealed unsafe class OwnerUpdate : IDisposable
{
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
        if (clipCoefficient != 1) HostKernels.Scale((float*)TensorMemory.Address(replica.Reduced) + from, count, clipCoefficient);
        var alike = Array.TrueForAll(touched, t => t) && optimizer.ParameterUpdates.AsSpan().IndexOfAnyExcept(optimizer.ParameterUpdates[0]) < 0;
        var segments = alike ? merged : [.. single.Value.Where(s => touched[s.Parameters[0]])];
        foreach (var group in segments.GroupBy(s => optimizer.WeightDecayOf(s.Parameters[0])))
        {
            OptimizerSegment[] members = [.. group];
            foreach (var segment in members) segment.Update.fill_((double)(optimizer.ParameterUpdates[segment.Parameters[0]] + 1));
            optimizer.Apply(members, group.Key, lr);
        }
        replica.Refresh(from, count);
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
            if (members.Count > 0) segments.Add(new OptimizerSegment(replica, optimizer, start, end - start, members));
            members = [];
        }
    }
}
