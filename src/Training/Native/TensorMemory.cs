using System.Runtime.InteropServices;
using Distributed.Core.Jobs;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Native;

/// <summary>Tensors and plain memory, both ways, without a copy (CPU only).</summary>
internal static unsafe partial class TensorMemory
{
    /// <summary>Address of the first element; valid while the tensor's storage lives.</summary>
    public static nint Address(Tensor tensor) => DataPointer(tensor.Handle);

    /// <summary>A dense row-major tensor over memory that the caller keeps alive; the caller disposes the tensor.</summary>
    public static Tensor View(nint memory, ScalarType dtype, params ReadOnlySpan<long> shape)
    {
        Span<long> strides = stackalloc long[shape.Length];
        long stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= shape[i];
        }
        fixed (long* sizes = shape)
        fixed (long* steps = strides)
            if (FromBlob(memory, shape.Length, sizes, steps, 0, (int)dtype, 0, 0, out var handle) == 0)
                return Tensor.UnsafeCreateTensor(handle);
        throw new JobException(
            ErrorCodes.Native, $"libtorch refused a tensor of shape [{string.Join(", ", shape.ToArray())}] over host memory.");
    }

    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint DataPointer(nint tensor);

    [LibraryImport("torch_cpu", EntryPoint = "aoti_torch_create_tensor_from_blob")]
    private static partial int FromBlob(
        nint data, long dimensions, long* sizes, long* strides, long offset, int dtype, int deviceType, int deviceIndex, out nint tensor);
}
