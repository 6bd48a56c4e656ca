namespace Distributed.Core.Spec;

/// <summary>The words that a job file may use for its choices.</summary>
public static class JobWords
{
    public static IReadOnlyList<string> Devices { get; } = ["cpu", "cuda"];

    /// <summary>Ways between silos, in the order of <see cref="GradientExchange"/>.</summary>
    public static IReadOnlyList<string> Exchanges { get; } = ["peer", "coordinator"];

    /// <summary>Precision policies, in the order of <see cref="Precision"/>.</summary>
    public static IReadOnlyList<string> Precisions { get; } = ["float32", "mixed_float16", "mixed_bfloat16"];

    /// <summary>The word for a precision policy.</summary>
    public static string Of(Precision precision) => Precisions[(int)precision];

    /// <summary>The word for a way between silos.</summary>
    public static string Of(GradientExchange exchange) => Exchanges[(int)exchange];
}
