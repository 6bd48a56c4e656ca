using Distributed.Core.Values;

namespace Distributed.Core.Checkpoints;

/// <summary>One tensor of a safetensors file: row-major, little-endian.</summary>
/// <param name="Offset">Byte offset in the data section that follows the header.</param>
public sealed record TensorEntry(string Name, TensorDtype Dtype, EquatableList<long> Shape, long Offset, long Bytes)
{
    public long Elements => Shape.Contains(0) ? 0 : Shape.Aggregate(1L, (product, size) => product * size);

    public override string ToString() => $"{Name} {Dtype.Word()} {Shape}";
}
