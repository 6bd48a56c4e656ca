using Distributed.Training.Kernels;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Distributed.Training.Models;

/// <summary>Maximum over 2 x 2, then ReLU.</summary>
internal static unsafe class PoolAndRelu
{
    /// <summary>By libtorch's operators.</summary>
    /// <param name="x_BCHW">[batch, channels, height, width].</param>
    /// <remarks>ReLU is monotonic: taken after the pooling it gives the same values and gradients, on a quarter of the elements.</remarks>
    public static Tensor Apply(Tensor x_BCHW) => F.max_pool2d(x_BCHW, 2).relu_();

    /// <summary>In one pass where the processor and the shape allow it; the same bits.</summary>
    public static Tensor Apply(Tensor x_BCHW, GraphCuts cuts)
    {
        var shape = x_BCHW.shape;
        var (batch, channels, height, width) = (shape[0], shape[1], shape[2], shape[3]);
        if (!PoolKernels.IsSupported || !PoolKernels.Takes(channels) || height % 2 != 0 || width % 2 != 0
            || x_BCHW.dtype is not (ScalarType.Float32 or ScalarType.BFloat16) || x_BCHW.device_type != DeviceType.CPU)
            return Apply(x_BCHW);
        var (rows, columns) = (batch * height / 2, width / 2);
        using var _ = no_grad();
        var x_BHWC = x_BCHW.detach().permute(0, 2, 3, 1).contiguous();
        var y_BHWC = empty([batch, height / 2, columns, channels], x_BCHW.dtype);
        var winners = empty([batch, height / 2, columns, channels], ScalarType.Byte);
        var (x, y) = (TensorMemory.Address(x_BHWC), TensorMemory.Address(y_BHWC));
        var winner = (byte*)TensorMemory.Address(winners);
        if (x_BCHW.dtype == ScalarType.Float32) PoolKernels.Forward((float*)x, (float*)y, winner, rows, columns, channels);
        else PoolKernels.Forward((ushort*)x, (ushort*)y, winner, rows, columns, channels);
        return cuts.Add(x_BCHW, y_BHWC.permute(0, 3, 1, 2), g_BCHW => Backward(g_BCHW, winners, rows, columns, channels));
    }

    private static Tensor Backward(Tensor g_BCHW, Tensor winners, long rows, long columns, long channels)
    {
        using var _ = no_grad();
        var g_BHWC = g_BCHW.permute(0, 2, 3, 1).contiguous();
        var target_BHWC = empty([winners.shape[0], 2 * winners.shape[1], 2 * columns, channels], g_BCHW.dtype);
        var (g, target) = (TensorMemory.Address(g_BHWC), TensorMemory.Address(target_BHWC));
        var winner = (byte*)TensorMemory.Address(winners);
        if (g_BCHW.dtype == ScalarType.Float32) PoolKernels.Backward((float*)g, winner, (float*)target, rows, columns, channels);
        else PoolKernels.Backward((ushort*)g, winner, (ushort*)target, rows, columns, channels);
        return target_BHWC.permute(0, 3, 1, 2);
    }
}
