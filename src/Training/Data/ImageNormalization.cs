using Distributed.Core.Jobs;
using Distributed.Core.Spec;
using Distributed.Core.Values;

namespace Distributed.Training.Data;

/// <summary>Mean and standard deviation of each image set, used where the job gives none.</summary>
internal static class ImageNormalization
{
    /// <summary>Training-split statistics of CIFAR-10.</summary>
    public static readonly NormalizeSpec Cifar10 = Of([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]);

    /// <summary>Training-split statistics of MNIST.</summary>
    public static readonly NormalizeSpec Mnist = Of([0.1307], [0.3081]);

    /// <summary>Maps [0, 1] to [-1, 1].</summary>
    public static readonly NormalizeSpec Shapes = Of([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);

    /// <exception cref="JobException"><c>spec-invalid</c>: the job's own numbers are not one per channel.</exception>
    public static NormalizeSpec For(JobSpec spec, NormalizeSpec standard)
    {
        var chosen = spec.Normalize ?? standard;
        if (chosen.Mean.Count == standard.Mean.Count && chosen.Std.Count == standard.Std.Count) return chosen;
        throw new JobException(
            ErrorCodes.SpecInvalid,
            $"normalize: {chosen.Mean.Count} means and {chosen.Std.Count} deviations; "
            + $"data set \"{spec.Data.Name}\" has {standard.Mean.Count} channel(s).");
    }

    private static NormalizeSpec Of(double[] mean, double[] std) =>
        new() { Mean = new EquatableList<double>(mean), Std = new EquatableList<double>(std) };
}
