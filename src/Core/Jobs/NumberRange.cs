using System.Globalization;

namespace Distributed.Core.Jobs;

/// <summary>What a number must satisfy and how an error says so.</summary>
internal sealed record NumberRange(string Expected, Func<double, bool> Holds)
{
    public static NumberRange Finite { get; } = new("a finite number", double.IsFinite);

    public static NumberRange Positive { get; } = new("a finite number greater than 0", x => x > 0 && double.IsFinite(x));

    public static NumberRange NotNegative { get; } = new("a finite number of 0 or more", x => x >= 0 && double.IsFinite(x));

    public static NumberRange BelowOne { get; } = new("a number from 0 to less than 1", x => x is >= 0 and < 1);

    /// <summary>No condition here: another rule judges the value.</summary>
    public static NumberRange Any { get; } = new("a number", _ => true);

    /// <summary>Reads the forms that YAML and JSON share, without hexadecimal, underscores or separators.</summary>
    public static double? Parse(string text) => text switch
    {
        ".inf" or "+.inf" => double.PositiveInfinity,
        "-.inf" => double.NegativeInfinity,
        ".nan" => double.NaN,
        _ when double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out var value)
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
