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
    /// <returns>[batch, channels, height / 2, width / 2], channels last.</returns>
    public static Tensor Apply(Tensor x_BCHW, GraphCuts cuts)
    {
        if (!Takes(x_BCHW)) return Apply(x_BCHW);
        using var _ = no_grad();
        var (y_BHWC, winners) = Forward(x_BCHW);
        return cuts.Add(x_BCHW, y_BHWC.permute(0, 3, 1, 2), g_BCHW => Backward(g_BCHW.permute(0, 2, 3, 1).contiguous(), winners));
    }

    /// <summary>The same, flattened.</summary>
    /// <returns>[batch, channels height / 2 width / 2], a channel's positions one behind the other.</returns>
    public static Tensor ApplyFlat(Tensor x_BCHW, GraphCuts cuts)
    {
        if (!Takes(x_BCHW)) return Apply(x_BCHW).flatten(1);
        using var _ = no_grad();
        var (y_BHWC, winners) = Forward(x_BCHW);
        var shape = y_BHWC.shape;
        var (positions, channels) = (shape[1] * shape[2], shape[3]);
        var y_BD = Transpose(y_BHWC, [shape[0], channels * positions], positions, channels);
        return cuts.Add(x_BCHW, y_BD, g_BD => Backward(Transpose(g_BD.contiguous(), shape, channels, positions), winners));
    }

    private static bool Takes(Tensor x_BCHW)
    {
        var shape = x_BCHW.shape;
        return PoolKernels.IsSupported && PoolKernels.Takes(shape[1]) && shape[2] % 2 == 0 && shape[3] % 2 == 0
            && x_BCHW.dtype is (ScalarType.Float32 or ScalarType.BFloat16) && x_BCHW.device_type == DeviceType.CPU;
    }

    private static (Tensor Y_BHWC, Tensor Winners) Forward(Tensor x_BCHW)
    {
        var x_BHWC = x_BCHW.detach().permute(0, 2, 3, 1).contiguous();
        var shape = x_BHWC.shape;
        var (batch, height, width, channels) = (shape[0], shape[1] / 2, shape[2] / 2, shape[3]);
        var y_BHWC = empty([batch, height, width, channels], x_BHWC.dtype);
        var winners = empty([batch, height, width, channels], ScalarType.Byte);
        var (x, y) = (TensorMemory.Address(x_BHWC), TensorMemory.Address(y_BHWC));
        var winner = (byte*)TensorMemory.Address(winners);
        if (x_BHWC.dtype == ScalarType.Float32) PoolKernels.Forward((float*)x, (float*)y, winner, batch * height, width, channels);
        else PoolKernels.Forward((ushort*)x, (ushort*)y, winner, batch * height, width, channels);
        return (y_BHWC, winners);
    }

    private static Tensor Backward(Tensor g_BHWC, Tensor winners)
    {
        using var _ = no_grad();
        var shape = winners.shape;
        var (batch, height, width, channels) = (shape[0], shape[1], shape[2], shape[3]);
        var target_BHWC = empty([batch, 2 * height, 2 * width, channels], g_BHWC.dtype);
        var (g, target) = (TensorMemory.Address(g_BHWC), TensorMemory.Address(target_BHWC));
        var winner = (byte*)TensorMemory.Address(winners);
        if (g_BHWC.dtype == ScalarType.Float32)
            PoolKernels.Backward((float*)g, winner, (float*)target, batch * height, width, channels);
        else
            PoolKernels.Backward((ushort*)g, winner, (ushort*)target, batch * height, width, channels);
        return target_BHWC.permute(0, 3, 1, 2);
    }

    private static Tensor Transpose(Tensor dense, long[] shape, long rows, long columns)
    {
        using var _ = no_grad();
        var target = empty(shape, dense.dtype);
        var (from, to) = (TensorMemory.Address(dense), TensorMemory.Address(target));
        if (dense.dtype == ScalarType.Float32) PoolKernels.Transpose((float*)from, (float*)to, shape[0], rows, columns);
        else PoolKernels.Transpose((ushort*)from, (ushort*)to, shape[0], rows, columns);
        return target;
    }
}
