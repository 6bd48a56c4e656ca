namespace Distributed.Core.Checkpoints;

/// <summary>Element types of a safetensors file: all that the format has. See <see cref="TensorDtypes"/> for their names there.</summary>
public enum TensorDtype
{
    Bool,
    F4,
    F6E2M3,
    F6E3M2,
    U8,
    I8,
    F8E4M3,
    F8E4M3Fnuz,
    F8E5M2,
    F8E5M2Fnuz,
    F8E8M0,
    U16,
    I16,
    F16,
    BF16,
    U32,
    I32,
    F32,
    C64,
    U64,
    I64,
    F64,
}
