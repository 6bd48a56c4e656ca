using System.Runtime.InteropServices;

namespace Distributed.Training.Kernels;

/// <summary>Elements of one parameter's gradient in host memory, in the parameter's memory order.</summary>
/// <param name="Address">Of the first element; 0: no gradient, which adds nothing.</param>
/// <param name="IsBFloat16">bfloat16 elements; otherwise float32.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct GradientSource(nint Address, bool IsBFloat16)
{
    public bool IsNone => Address == 0;
}
