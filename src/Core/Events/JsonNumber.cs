using System.Text.Json.Nodes;

namespace Distributed.Core.Events;

/// <summary>Finite numbers whose JSON text is the same number to every reader.</summary>
public static class JsonNumber
{
    /// <summary>A double, written so that readers that keep whole numbers apart from others get its value too.</summary>
    /// <remarks>
    /// From 2^53 to 1e17 .NET's shortest text of a double may be a whole number without exponent that is not that double but rounds to it:
    /// 2^56 is 72057594037927940. Python, for one, reads that exactly and finds it different.
    /// </remarks>
    public static JsonValue Exact(double value) =>
        Math.Abs(value) is >= 1L << 53 and < long.MaxValue ? JsonValue.Create((long)value) : JsonValue.Create(value);
}
