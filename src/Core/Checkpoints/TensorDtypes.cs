namespace Distributed.Core.Checkpoints;

public static class TensorDtypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this TensorDtype dtype) => dtype switch
    {
        TensorDtype.Bool or TensorDtype.U8 or TensorDtype.I8 => 1,
        TensorDtype.U16 or TensorDtype.I16 or TensorDtype.F16 or TensorDtype.BF16 => 2,
        TensorDtype.U32 or TensorDtype.I32 or TensorDtype.F32 => 4,
        TensorDtype.U64 or TensorDtype.I64 or TensorDtype.F64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype)),
    };

    /// <summary>The name in a safetensors header, such as <c>F32</c>.</summary>
    public static string Word(this TensorDtype dtype) => dtype.ToString().ToUpperInvariant();

    /// <returns>False for an element type that is not known here.</returns>
    public static bool TryParse(string? word, out TensorDtype dtype)
    {
        foreach (var candidate in Enum.GetValues<TensorDtype>())
        {
            dtype = candidate;
            if (candidate.Word() == word) return true;
        }

        dtype = default;
        return false;
    }
}
