namespace Distributed.Core.Checkpoints;

/// <summary>Element types of a safetensors file, by its own names.</summary>
public enum TensorDtype
{
    Bool,
    U8,
    I8,
    U16,
    I16,
    F16,
    BF16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}
