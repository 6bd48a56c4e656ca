using System.Text.RegularExpressions;
using Distributed.Core.Documents;
using Distributed.Core.Spec;
using Distributed.Training.Parameters;
using TorchSharp;
using static TorchSharp.torch;

namespace Distributed.Training.Optim;

/// <summary>The optimizer's state on flat buffers, shared by the ranks of a silo; each owner updates its own run through libtorch's fused kernels.</summary>
internal abstract class FlatOptimizer : IDisposable
{
    private readonly bool[] decays;

    protected FlatOptimizer(OptimizerSpec spec, ParameterLayout layout, params string[] moments)
    {
        Spec = spec;
        Layout = layout;
        Moments = [.. moments.Select(name => (name, zeros(layout.Length).DetachFromDisposeScope()))];
        ParameterUpdates = new long[layout.Slots.Count];
        var patterns = spec.NoDecay.Select(Pattern).ToArray();
        decays = [.. layout.Parameters.Select(p => !patterns.Any(r => r.IsMatch(p.Name)))];
    }

    public OptimizerSpec Spec { get; }

    public ParameterLayout Layout { get; }

    /// <summary>State tensors [Length], FP32, by PyTorch's names.</summary>
    public IReadOnlyList<(string Name, Tensor Flat)> Moments { get; }

    /// <summary>Updates each parameter has had: PyTorch's per-parameter step.</summary>
    public long[] ParameterUpdates { get; }

    public static FlatOptimizer Create(OptimizerSpec spec, ParameterLayout layout) => spec.Name switch
    {
        "sgd" => new SgdOptimizer(spec, layout),
        "adam" => new AdamOptimizer(spec, layout, decoupledDecay: false),
        "adamw" => new AdamOptimizer(spec, layout, decoupledDecay: true),
        _ => throw new Core.Jobs.JobException(Core.Jobs.ErrorCodes.SpecInvalid, $"optimizer.name is '{spec.Name}'; known optimizers are sgd, adam and adamw."),
    };

    /// <summary>Weight decay of one parameter.</summary>
    public double WeightDecayOf(int parameter) => decays[parameter] ? Spec.WeightDecay : 0;

    /// <summary>One update of a segment.</summary>
    /// <param name="update">Number of this update of its parameters, from 1.</param>
    public abstract void Apply(OptimizerSegment segment, long update, double weightDecay, double lr);

    /// <summary>Counts an update of the parameters that got a gradient; once a step, by one rank.</summary>
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
