using Distributed.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Devices;

/// <summary>
/// The device that holds a silo's replica and runs its ranks: where memory for tensors and gradients comes from, how numbers get there and
/// back, and the arithmetic between backward and the optimizer.
/// </summary>
/// <remarks>
/// All of a job's device memory is allocated here, all that goes to the device goes through <see cref="Upload"/>, and all that the host
/// wants to know comes through <see cref="Read"/> and <see cref="ToHost"/>. Addresses are the device's own. Elements are rounded as IEEE
/// says on every device, in the order that the callers give, so that no bit depends on which device it is.
/// </remarks>
internal unsafe interface IDeviceRuntime
{
    /// <value>What autocast and TorchSharp call it.</value>
    DeviceType Type { get; }

    /// <summary>Flat storage for weights, moments and the reduced gradient.</summary>
    /// <returns>Zeros [elements], 64-byte aligned, detached from dispose scopes; the caller disposes.</returns>
    Tensor Zeros(long elements, ScalarType dtype = ScalarType.Float32);

    /// <summary>Plain memory for gradients, 64-byte aligned, not zeroed.</summary>
    /// <exception cref="OutOfMemoryException">There is none left.</exception>
    nint Allocate(long bytes);

    /// <summary>Gives memory back; 0 is none.</summary>
    void Free(nint address);

    /// <summary>Address of a tensor's first element; valid while its storage lives.</summary>
    nint Address(Tensor tensor);

    /// <summary>Brings a batch to the device.</summary>
    /// <param name="host">Dense row-major elements in host memory, which outlive the tensor.</param>
    /// <returns>A tensor of that shape, which may be a view of the host memory; belongs to the caller's dispose scope.</returns>
    Tensor Upload(nint host, ScalarType dtype, params ReadOnlySpan<long> shape);

    /// <summary>Waits for a number and reads it.</summary>
    /// <param name="scalar">One FP32 element.</param>
    float Read(Tensor scalar);

    /// <summary>A tensor's elements in host memory.</summary>
    /// <param name="dense">Dense, row-major.</param>
    /// <returns>A tensor that the caller disposes, which may share the storage.</returns>
    Tensor ToHost(Tensor dense);

    /// <inheritdoc cref="HostKernels.Load"/>
    void Load(GradientSource source, long at, float* target, long count);

    /// <inheritdoc cref="HostKernels.Add"/>
    void Add(GradientSource left, GradientSource right, long at, float* target, long count);

    /// <summary>target = +0.</summary>
    void Clear(float* target, long count);

    /// <inheritdoc cref="HostKernels.CheckAndUnscale"/>
    bool CheckAndUnscale(float* x, long count, float inverseScale, float meanFactor);

    /// <inheritdoc cref="HostKernels.SumOfSquares"/>
    double SumOfSquares(float* x, int count);

    /// <inheritdoc cref="HostKernels.Scale"/>
    void Scale(float* x, long count, float factor);

    /// <inheritdoc cref="HostKernels.AllFinite"/>
    bool AllFinite(float* x, long count);
}
