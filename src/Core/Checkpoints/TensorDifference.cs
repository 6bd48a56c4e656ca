namespace Distributed.Core.Checkpoints;

/// <summary>How one tensor of two files compares.</summary>
/// <param name="MaxAbs">
/// Largest absolute difference of two elements; NaN when a NaN stands against another value, or the element type has no order; 0 unless
/// <see cref="TensorComparison.Differs"/>.
/// </param>
/// <param name="FirstIndex">First element, row-major, whose bits differ; -1 unless <see cref="TensorComparison.Differs"/>.</param>
/// <param name="Count">Elements whose bits differ.</param>
public sealed record TensorDifference(string Name, TensorComparison Comparison, double MaxAbs = 0, long FirstIndex = -1, long Count = 0);

public enum TensorComparison
{
    /// <summary>The same bits.</summary>
    Equal,

    /// <summary>The same type and shape, other bits.</summary>
    Differs,

    /// <summary>Another element type or shape.</summary>
    OtherShape,

    OnlyInFirst,

    OnlyInSecond,
}
