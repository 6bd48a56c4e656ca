using Distributed.Training.Devices;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Parameters;

/// <summary>Parameters between the flat buffers' memory order and the logical row-major order of files and hashes.</summary>
internal static unsafe class RowMajor
{
    private const int ChunkBytes = 1 << 20;

    /// <returns>New tensor in host memory in the parameter's shape, dense row-major, FP32; the caller disposes.</returns>
    public static Tensor Read(ParameterSlot slot, Tensor flat, IDeviceRuntime device)
    {
        using var _ = no_grad();
        using var view = slot.In(flat);
        using var dense = view.contiguous();
        return device.ToHost(dense);
    }

    /// <summary>Overwrites the parameter's part of a flat buffer with row-major FP32 values.</summary>
    public static void Write(ParameterSlot slot, Tensor flat, ReadOnlySpan<byte> values)
    {
        using var _ = no_grad();
        using var view = slot.In(flat);
        fixed (byte* p = values)
        {
            using var source = TensorMemory.View((nint)p, ScalarType.Float32, slot.Spec.Shape);
            view.copy_(source);
        }
    }

    /// <summary>Hands out the bytes of a dense FP32 tensor in host memory piece by piece.</summary>
    public static void ForEachChunk(Tensor dense, ReadOnlySpanAction action)
    {
        var start = (byte*)TensorMemory.Address(dense);
        var left = dense.numel() * sizeof(float);
        for (; left > 0; start += ChunkBytes, left -= ChunkBytes)
            action(new ReadOnlySpan<byte>(start, (int)Math.Min(left, ChunkBytes)));
    }
}

internal delegate void ReadOnlySpanAction(ReadOnlySpan<byte> bytes);
