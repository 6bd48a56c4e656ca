using Distributed.Training.Native;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Optim;

/// <summary>A contiguous part of the flat buffers that is updated alike: views of weights, gradient and moments.</summary>
internal sealed class OptimizerSegment : IDisposable
{
    public OptimizerSegment(Replica replica, FlatOptimizer optimizer, long from, long count, IReadOnlyList<int> parameters)
    {
        Parameters = parameters;
        Count = count;
        Weights = replica.Master.narrow(0, from, count).DetachFromDisposeScope();
        Gradient = replica.Reduced.narrow(0, from, count).DetachFromDisposeScope();
        Moments = [.. optimizer.Moments.Select(m => m.Flat.narrow(0, from, count).DetachFromDisposeScope())];
        Update = optimizer.Device.Zeros(1);
        Working = replica.Working?.narrow(0, from, count).DetachFromDisposeScope();
        GradientAddress = optimizer.Device.Address(Gradient);
    }

    public long Count { get; }

    public nint GradientAddress { get; }

    /// <value>Working copies of the weights; null where none are kept.</value>
    public Tensor? Working { get; }

    /// <summary>Parameters that lie in it, wholly or in part; all with the same weight decay.</summary>
    public IReadOnlyList<int> Parameters { get; }

    public Tensor Weights { get; }

    public Tensor Gradient { get; }

    public IReadOnlyList<Tensor> Moments { get; }

    /// <value>Number of this update, counted from 1 [1], FP32.</value>
    public Tensor Update { get; }

    /// <summary>Casts the weights into their working copies.</summary>
    public void Refresh()
    {
        if (Working is null) return;
        using var _ = no_grad();
        Working.copy_(Weights);
    }

    public void Dispose()
    {
        Working?.Dispose();
        Weights.Dispose();
        Gradient.Dispose();
        Update.Dispose();
        foreach (var moment in Moments) moment.Dispose();
    }
}
