using Distributed.Core.Jobs;

namespace Distributed.Core.Checkpoints;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Any text but <c>__metadata__</c>; unique in its file.</param>
public sealed record TensorShape(string Name, TensorDtype Dtype, EquatableList<long> Shape)
{
    /// <exception cref="OverflowException">The product of the shape leaves 63 bits.</exception>
    public long Bytes => Shape.Aggregate((long)Dtype.Size(), (product, size) => checked(product * size));
}
