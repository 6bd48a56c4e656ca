using System.Runtime.InteropServices;
using Distributed.Training.Kernels;
using Distributed.Training.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Devices;

/// <summary>The cores of this machine: device memory is host memory, so uploads and reads are views.</summary>
internal sealed unsafe class CpuDevice : IDeviceRuntime
{
    private const int Alignment = 64;

    private CpuDevice()
    {
    }

    public static CpuDevice Instance { get; } = new();

    public DeviceType Type => DeviceType.CPU;

    public Tensor Zeros(long elements, ScalarType dtype = ScalarType.Float32) => zeros(elements, dtype).DetachFromDisposeScope();

    public nint Allocate(long bytes) => (nint)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);

    public void Free(nint address) => NativeMemory.AlignedFree((void*)address);

    public nint Address(Tensor tensor) => TensorMemory.Address(tensor);

    public Tensor Upload(nint host, ScalarType dtype, params ReadOnlySpan<long> shape) => TensorMemory.View(host, dtype, shape);

    public float Read(Tensor scalar) => scalar.item<float>();

    public Tensor ToHost(Tensor dense) => dense.alias();

    public void Load(GradientSource source, long at, float* target, long count) => HostKernels.Load(source, at, target, count);

    public void Add(GradientSource left, GradientSource right, long at, float* target, long count) =>
        HostKernels.Add(left, right, at, target, count);

    public void Clear(float* target, long count) => NativeMemory.Clear(target, (nuint)(count * sizeof(float)));

    public bool CheckAndUnscale(float* x, long count, float inverseScale, float meanFactor) =>
        HostKernels.CheckAndUnscale(x, count, inverseScale, meanFactor);

    public double SumOfSquares(float* x, int count) => HostKernels.SumOfSquares(x, count);

    public void Scale(float* x, long count, float factor) => HostKernels.Scale(x, count, factor);

    public bool AllFinite(float* x, long count) => HostKernels.AllFinite(x, count);
}
