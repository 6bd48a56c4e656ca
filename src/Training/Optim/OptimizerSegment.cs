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
        Weights = replica.Master.narrow(0, from, count).DetachFromDisposeScope();
        Gradient = replica.Reduced.narrow(0, from, count).DetachFromDisposeScope();
        Moments = [.. optimizer.Moments.Select(m => m.Flat.narrow(0, from, count).DetachFromDisposeScope())];
        Update = zeros(1).DetachFromDisposeScope();
    }

    /// <summary>Parameters that lie in it, wholly or in part.</summary>
    public IReadOnlyList<int> Parameters { get; }

    public Tensor Weights { get; }

    public Tensor Gradient { get; }

    public IReadOnlyList<Tensor> Moments { get; }

    /// <value>Number of this update, counted from 1 [1], FP32.</value>
    public Tensor Update { get; }

    public void Dispose()
    {
        Weights.Dispose();
        Gradient.Dispose();
        Update.Dispose();
        foreach (var moment in Moments) moment.Dispose();
    }
}
