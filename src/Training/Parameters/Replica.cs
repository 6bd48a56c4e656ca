using Distributed.Core.Samples;
using Distributed.Training.Devices;
using Distributed.Training.Models;
using Distributed.Training.Native;
using Distributed.Training.Precision;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Parameters;

/// <summary>
/// One set of weights on one device, shared by all ranks that compute there: FP32 master weights in flat storage, and working copies.
/// </summary>
/// <remarks>
/// A parameter whose sole reader is a lowered operator is read through a copy in the compute type, cast once per step by its owner.
/// </remarks>
internal sealed class Replica : IDisposable
{
    private readonly PrecisionPolicy precision;

    /// <param name="device">Where it is held.</param>
    public Replica(ParameterLayout layout, PrecisionPolicy precision, IDeviceRuntime device)
    {
        (Layout, Device) = (layout, device);
        this.precision = precision;
        using var _ = no_grad();
        Master = device.Zeros(layout.Length);
        Reduced = device.Zeros(layout.Length);
        if (precision is { HasWorkingCopies: true, Compute: { } compute }) Working = device.Zeros(layout.Length, compute);
    }

    public ParameterLayout Layout { get; }

    public IDeviceRuntime Device { get; }

    /// <value>Master weights [Length], FP32.</value>
    public Tensor Master { get; }

    /// <value>The reduced gradient of the step [Length], FP32; padding stays zero.</value>
    public Tensor Reduced { get; }

    /// <value>Working copies [Length] in the compute type; null where none are kept.</value>
    public Tensor? Working { get; }

    /// <summary>Fresh weights: PyTorch's default initialisation, each parameter from a generator of its own.</summary>
    public void Initialise(long seed)
    {
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        foreach (var slot in Layout.Slots)
        {
            AbortSignal.ThrowIfRaised();
            using var generator = new Generator(InitialSeed(seed, slot.Index));
            slot.In(Master).copy_(slot.Spec.Init.Draw(slot.Spec.Shape, generator));
        }
    }

    /// <summary>Leaf tensors for one rank, in parameter order: aliases of the shared storage that collect gradients of their own.</summary>
    /// <returns>Detached from any dispose scope; the caller disposes.</returns>
    public Tensor[] CreateLeaves()
    {
        var leaves = new Tensor[Layout.Slots.Count];
        for (var i = 0; i < leaves.Length; i++)
        {
            var slot = Layout.Slots[i];
            using var view = slot.In(Working is not null && slot.Spec.Lowered ? Working : Master);
            leaves[i] = view.detach().requires_grad_().DetachFromDisposeScope();
        }
        return leaves;
    }

    /// <summary>Casts the master weights into the working copies; after the master was written as a whole, before anyone reads.</summary>
    public void RefreshAll()
    {
        using var _ = no_grad();
        Working?.copy_(Master);
    }

    public void Dispose()
    {
        Master.Dispose();
        Reduced.Dispose();
        Working?.Dispose();
    }

    private static ulong InitialSeed(long seed, int parameter) =>
        new CounterRandom(seed, RandomPurpose.Weights, parameter).NextUInt64();
}
