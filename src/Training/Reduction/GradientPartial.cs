using Distributed.Training.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Reduction;

/// <summary>The gradient sum of an aligned run of micro-batches: per parameter where it lies, or nothing where no gradient arose.</summary>
/// <remarks>One micro-batch: the tensors that backward made, taken over as they are. Merged ones: FP32 in a flat buffer.</remarks>
internal sealed class GradientPartial(int start, int end, int parameters) : IDisposable
{
    private readonly Tensor?[] held = new Tensor?[parameters];

    /// <value>First micro-batch.</value>
    public int Start { get; } = start;

    /// <value>Micro-batch behind the last.</value>
    public int End { get; } = end;

    /// <summary>Per parameter, in parameter order.</summary>
    public GradientSource[] Sources { get; } = new GradientSource[parameters];

    /// <value>The buffer that holds merged sums; null while the sources are backward's own tensors.</value>
    public FlatGradient? Flat { get; private set; }

    /// <summary>Takes over a gradient tensor whose memory order is the parameter's.</summary>
    public void Hold(int parameter, Tensor gradient, GradientSource source)
    {
        held[parameter] = gradient;
        Sources[parameter] = source;
    }

    /// <summary>Frees one parameter's tensor, whose value has gone into a sum.</summary>
    public void Release(int parameter)
    {
        held[parameter]?.Dispose();
        held[parameter] = null;
        Sources[parameter] = default;
    }

    /// <summary>Takes over the buffer that its sources lie in.</summary>
    public void BecomeSum(FlatGradient sum) => Flat = sum;

    /// <summary>Ends a partial whose buffer, if it had one, went on to a sum.</summary>
    public void Abandon()
    {
        Flat = null;
        Dispose();
    }

    public void Dispose()
    {
        for (var i = 0; i < held.Length; i++) Release(i);
        Flat?.Return();
        Flat = null;
    }
}
