namespace Distributed.Training.Parameters;

/// <summary>A trainable tensor of a model.</summary>
/// <param name="Name">PyTorch's name.</param>
/// <param name="Shape">Logical shape, as PyTorch has it.</param>
/// <param name="Init">Default initialisation, PyTorch's.</param>
/// <param name="Lowered">
/// The sole reader is a convolution or aten::linear under autocast, so a working copy in the compute type changes no bit.
/// </param>
/// <param name="ChannelsLast">Kept in memory as [out, height, width, in]; convolution weights only.</param>
internal sealed record ParameterSpec(string Name, long[] Shape, Initialisation Init, bool Lowered = false, bool ChannelsLast = false)
{
    /// <value>Elements.</value>
    public long Count { get; } = Shape.Aggregate(1L, (product, n) => checked(product * n));
}
