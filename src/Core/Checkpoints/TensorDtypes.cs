using System.Collections.Frozen;

namespace Distributed.Core.Checkpoints;

/// <remarks>Rule: the safetensors format's <c>Dtype</c>.</remarks>
public static class TensorDtypes
{
    private static readonly FrozenDictionary<string, TensorDtype> ByWord =
        Enum.GetValues<TensorDtype>().ToFrozenDictionary(Word, StringComparer.Ordinal);

    /// <summary>All names that a header may have.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. Enum.GetValues<TensorDtype>().Select(Word)];

    /// <summary>Bits of one element; those of a tensor fill whole bytes.</summary>
    public static int Bits(this TensorDtype dtype) => dtype switch
    {
        TensorDtype.F4 => 4,
        TensorDtype.F6E2M3 or TensorDtype.F6E3M2 => 6,
        TensorDtype.Bool or TensorDtype.U8 or TensorDtype.I8 => 8,
        TensorDtype.F8E4M3 or TensorDtype.F8E4M3Fnuz or TensorDtype.F8E5M2 or TensorDtype.F8E5M2Fnuz or TensorDtype.F8E8M0 => 8,
        TensorDtype.U16 or TensorDtype.I16 or TensorDtype.F16 or TensorDtype.BF16 => 16,
        TensorDtype.U32 or TensorDtype.I32 or TensorDtype.F32 => 32,
        TensorDtype.U64 or TensorDtype.I64 or TensorDtype.F64 or TensorDtype.C64 => 64,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype)),
    };

    /// <summary>The name in a safetensors header, such as <c>F32</c>.</summary>
    public static string Word(this TensorDtype dtype) => dtype switch
    {
        TensorDtype.F6E2M3 => "F6_E2M3",
        TensorDtype.F6E3M2 => "F6_E3M2",
        TensorDtype.F8E4M3 => "F8_E4M3",
        TensorDtype.F8E4M3Fnuz => "F8_E4M3FNUZ",
        TensorDtype.F8E5M2 => "F8_E5M2",
        TensorDtype.F8E5M2Fnuz => "F8_E5M2FNUZ",
        TensorDtype.F8E8M0 => "F8_E8M0",
        _ => dtype.ToString().ToUpperInvariant(),
    };

    /// <returns>False for an element type that the format does not have.</returns>
    public static bool TryParse(string? word, out TensorDtype dtype)
    {
        dtype = default;
        return word is not null && ByWord.TryGetValue(word, out dtype);
    }
}
