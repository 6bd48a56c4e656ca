using Distributed.Training.Data;
using Distributed.Training.Devices;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Loop;

/// <summary>Brings a batch from host memory to the device; the memory must outlive the tensors, which may be views of it.</summary>
internal static class BatchTensors
{
    /// <returns>Inputs [items, ...sample] and labels [items, ...]; they belong to the caller's dispose scope.</returns>
    public static (Tensor Inputs, Tensor Labels) Upload(
        IDeviceRuntime device, IDataSplit split, ImageLayout layout, nint inputs, nint labels, int items)
    {
        var shape = split.Input.Shape;
        Tensor x;
        if (split.IsImage && layout == ImageLayout.ChannelsLast)
        {
            using var stored_BHWC = device.Upload(inputs, ScalarType.Float32, items, shape[1], shape[2], shape[0]);
            x = stored_BHWC.permute(0, 3, 1, 2);
        }
        else
        {
            x = device.Upload(inputs, TypeOf(split.Input.Kind), [items, .. shape]);
        }
        return (x, device.Upload(labels, TypeOf(split.Label.Kind), [items, .. split.Label.Shape]));
    }

    private static ScalarType TypeOf(ElementKind kind) => kind == ElementKind.Float32 ? ScalarType.Float32 : ScalarType.Int64;
}
