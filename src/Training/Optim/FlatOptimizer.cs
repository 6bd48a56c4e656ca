using System.Text.RegularExpressions;
using Distributed.Core.Optimizers;
using Distributed.Training.Devices;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Optim;

/// <summary>
/// The optimizer's state on flat buffers, shared by the ranks of a silo; each owner updates its own run through libtorch's fused kernels.
/// </summary>
internal abstract class FlatOptimizer : IDisposable
{
    private readonly bool[] decays;
    private readonly double weightDecay;

    protected FlatOptimizer(OptimizerOptions options, ParameterLayout layout, IDeviceRuntime device, params string[] moments)
    {
        weightDecay = options.WeightDecay;
        (Layout, Device) = (layout, device);
        Moments = [.. moments.Select(name => (name, device.Zeros(layout.Length)))];
        ParameterUpdates = new long[layout.Slots.Count];
        var patterns = options.NoDecay.Select(Pattern).ToArray();
        decays = [.. layout.Parameters.Select(p => !patterns.Any(r => r.IsMatch(p.Name)))];
    }

    public ParameterLayout Layout { get; }

    /// <summary>Where its state is held.</summary>
    public IDeviceRuntime Device { get; }

    /// <summary>State tensors [Length], FP32, by PyTorch's names.</summary>
    public IReadOnlyList<(string Name, Tensor Flat)> Moments { get; }

    /// <summary>Updates each parameter has had: PyTorch's per-parameter step.</summary>
    public long[] ParameterUpdates { get; }

    /// <exception cref="ArgumentException">No optimizer takes these options.</exception>
    public static FlatOptimizer Create(OptimizerOptions options, ParameterLayout layout, IDeviceRuntime device) => options switch
    {
        IOptimizerSource source => source.Create(layout, device),
        SgdOptions sgd => new SgdOptimizer(sgd, layout, device),
        AdamOptions adam => new AdamOptimizer(adam, layout, device),
        _ => throw new ArgumentException(
            $"No optimizer takes {options.GetType().Name}; implement {nameof(IOptimizerSource)}.", nameof(options)),
    };

    /// <summary>Weight decay of one parameter.</summary>
    public double WeightDecayOf(int parameter) => decays[parameter] ? weightDecay : 0;

    /// <summary>One update of a segment.</summary>
    /// <param name="update">Number of this update of its parameters, from 1.</param>
    public abstract void Apply(OptimizerSegment segment, long update, double weightDecay, double lr);

    /// <summary>Counts an update of the parameters that got a gradient; once per step, by one rank.</summary>
    public void CountUpdate(ReadOnlySpan<bool> touched)
    {
        for (var i = 0; i < ParameterUpdates.Length; i++)
            if (touched[i]) ParameterUpdates[i]++;
    }

    public void Dispose()
    {
        foreach (var (_, flat) in Moments) flat.Dispose();
    }

    private static Regex Pattern(string glob) =>
        new("^" + Regex.Escape(glob).Replace("\\*", ".*").Replace("\\?", ".") + "$", RegexOptions.CultureInvariant);
}

/// <summary>Options that build their optimizer themselves: all that an optimizer of another program needs.</summary>
internal interface IOptimizerSource
{
    FlatOptimizer Create(ParameterLayout layout, IDeviceRuntime device);
}
