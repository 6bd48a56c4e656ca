namespace Distributed.Training.Data;

internal enum ElementKind
{
    Float32,
    Int64,
}
