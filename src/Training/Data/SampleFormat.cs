using Distributed.Core.Values;

namespace Distributed.Training.Data;

/// <summary>Shape and element kind of one sample; an empty shape is one number.</summary>
internal sealed record SampleFormat(EquatableList<long> Shape, ElementKind Kind)
{
    public static SampleFormat Scalar(ElementKind kind) => new(new EquatableList<long>([]), kind);

    public long Elements => Shape.Aggregate(1L, (product, size) => checked(product * size));

    public long Bytes => Elements * (Kind == ElementKind.Float32 ? sizeof(float) : sizeof(long));
}
