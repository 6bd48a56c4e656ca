using System.Globalization;
using Distributed.Core.Values;

namespace Distributed.Core.Documents;

/// <summary>What a number must satisfy and how an error says so.</summary>
/// <remarks>Beside those the number must be one that float32 can hold, where the arithmetic takes it as such.</remarks>
internal sealed record NumberRange(string Expected, Func<double, bool> Holds, bool IsFloat32 = true)
{
    public static NumberRange Finite { get; } = new("a finite number", double.IsFinite);

    public static NumberRange Positive { get; } = new("a finite number greater than 0", x => x > 0 && double.IsFinite(x));

    public static NumberRange NotNegative { get; } = new("a finite number of 0 or more", x => x >= 0 && double.IsFinite(x));

    public static NumberRange BelowOne { get; } = new("a number from 0 to less than 1", x => x is >= 0 and < 1);

    public static NumberRange Share { get; } = new("a share from 0 to 1", x => x is >= 0 and <= 1, IsFloat32: false);

    /// <summary>No condition here: another rule judges the value.</summary>
    public static NumberRange Any { get; } = new("a number", _ => true, IsFloat32: false);

    /// <summary>A length of time, in seconds, that the clock can measure.</summary>
    public static NumberRange Seconds(double most) =>
        new(FormattableString.Invariant($"seconds, from 0.001 to {most}"), x => x >= 0.001 && x <= most, IsFloat32: false);

    /// <summary>What is wrong with a number, as the end of "found 5": found and expected.</summary>
    /// <returns>Null: nothing.</returns>
    public string? Fault(double value)
    {
        if (!Holds(value)) return $", expected {Expected}";
        var single = (float)value;
        return !IsFloat32 || (Float32.Holds(value) && Holds(single)) ? null
            : FormattableString.Invariant(
                $", which is {Float32.Show(single)} as float32, expected {Expected} within float32's range, {Float32.Range}");
    }

    /// <summary>Reads the forms that YAML and JSON share, without hexadecimal, underscores or separators.</summary>
    public static double? Parse(string text) => text switch
    {
        ".inf" or "+.inf" => double.PositiveInfinity,
        "-.inf" => double.NegativeInfinity,
        ".nan" => double.NaN,
        _ when double.TryParse(
            text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture,
            out var value)
            && !text.Any(char.IsLetter, except: 'e') => value,
        _ => null,
    };

    /// <summary>A whole number, also in forms such as 1e3, as long as it is exact.</summary>
    public static long? ParseWhole(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return whole;
        return Parse(text) is { } value && Math.Abs(value) <= 1L << 53 && Math.Truncate(value) == value ? (long)value : null;
    }
}

file static class TextExtensions
{
    public static bool Any(this string text, Func<char, bool> holds, char except) =>
        text.AsEnumerable().Any(c => holds(c) && char.ToLowerInvariant(c) != except);
}
