using Distributed.Core.Values;

namespace Distributed.Core.Checkpoints;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Any text but <c>__metadata__</c>; unique in its file.</param>
public sealed record TensorShape(string Name, TensorDtype Dtype, EquatableList<long> Shape)
{
    /// <exception cref="OverflowException">The product of the shape leaves 63 bits.</exception>
    /// <exception cref="InvalidOperationException">Elements smaller than a byte do not fill whole bytes.</exception>
    public long Bytes
    {
        get
        {
            // Elements of whole bytes, or 8 small ones, at a time: the product of bits could leave 63 bits where that of bytes does not.
            var elements = Shape.Aggregate(1L, (product, size) => checked(product * size));
            if (Dtype.Bits() % 8 == 0) return checked(elements * (Dtype.Bits() / 8));
            var rest = elements % 8 * Dtype.Bits();
            return rest % 8 == 0
                ? checked((elements / 8 * Dtype.Bits()) + (rest / 8))
                : throw new InvalidOperationException($"{elements} elements of {Dtype.Bits()} bits do not fill whole bytes");
        }
    }
}
