using Distributed.Training.Collectives;
using Distributed.Training.Native;
using Distributed.Training.Parameters;

namespace Distributed.Training.Loop;

/// <summary>Names the culprit of a skipped step.</summary>
internal static unsafe class NonFiniteSearch
{
    /// <summary>The first parameter, in parameter order, whose reduced gradient is not finite.</summary>
    public static string? First(Replica replica)
    {
        var reduced = (float*)TensorMemory.Address(replica.Reduced);
        return replica.Layout.Slots.FirstOrDefault(s => !HostKernels.AllFinite(reduced + s.Offset, s.Count))?.Spec.Name;
    }
}
