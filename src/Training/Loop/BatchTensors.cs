using Distributed.Training.Data;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>Makes tensors over a batch in host memory without a copy; the memory must outlive them.</summary>
internal static class BatchTensors
{
    /// <returns>Inputs [items, ...sample] and labels [items, ...]; they belong to the caller's dispose scope.</returns>
    public static (Tensor Inputs, Tensor Labels) View(IDataSplit split, ImageLayout layout, nint inputs, nint labels, int items)
    {
        var shape = split.Input.Shape;
        Tensor x;
        if (split.IsImage && layout == ImageLayout.ChannelsLast)
        {
            using var stored_BHWC = TensorMemory.View(inputs, ScalarType.Float32, items, shape[1], shape[2], shape[0]);
            x = stored_BHWC.permute(0, 3, 1, 2);
        }
        else
        {
            x = TensorMemory.View(inputs, TypeOf(split.Input.Kind), [items, .. shape]);
        }
        return (x, TensorMemory.View(labels, TypeOf(split.Label.Kind), [items, .. split.Label.Shape]));
    }

    private static ScalarType TypeOf(ElementKind kind) => kind == ElementKind.Float32 ? ScalarType.Float32 : ScalarType.Int64;
}
