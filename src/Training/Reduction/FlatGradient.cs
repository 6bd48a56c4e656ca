using Distributed.Training.Devices;

namespace Distributed.Training.Reduction;

/// <summary>A flat FP32 buffer for merged gradients, rented from a rank's pool.</summary>
internal sealed class FlatGradient(FlatGradientPool pool, nint address)
{
    public nint Address { get; } = address;

    public void Return() => pool.Return(this);
}

/// <summary>
/// One rank's buffers for merged gradients; grows to the depth of the canonical tree and stays there. Used by one thread.
/// </summary>
internal sealed class FlatGradientPool(long elements, IDeviceRuntime device) : IDisposable
{
    private readonly Stack<FlatGradient> free = new();
    private readonly List<FlatGradient> all = [];

    public FlatGradient Rent()
    {
        if (free.TryPop(out var buffer)) return buffer;
        buffer = new FlatGradient(this, device.Allocate(elements * sizeof(float)));
        all.Add(buffer);
        return buffer;
    }

    public void Dispose()
    {
        foreach (var buffer in all) device.Free(buffer.Address);
        all.Clear();
        free.Clear();
    }

    internal void Return(FlatGradient buffer) => free.Push(buffer);
}
