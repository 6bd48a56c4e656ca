using System.CommandLine;
using System.Globalization;

namespace Distributed.Client.Commands;

/// <summary>Options that take a number; null when left out.</summary>
internal static class NumberOption
{
    public static Option<int?> Whole(string name, string helpName, string description, int least = int.MinValue, int most = int.MaxValue) =>
        new(name)
        {
            HelpName = helpName,
            Description = description,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least
                    && value <= most) return value;
                result.AddError($"{name}: found '{text}', expected a whole number{Range(least, most)}.");
                return null;
            },
        };

    public static Option<double?> Real(string name, string helpName, string description) => new(name)
    {
        HelpName = helpName,
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return value;
            result.AddError($"{name}: found '{text}', expected a number.");
            return null;
        },
    };

    private static string Range(int least, int most) => (least, most) switch
    {
        (int.MinValue, int.MaxValue) => "",
        (_, int.MaxValue) => FormattableString.Invariant($" of {least} or more"),
        _ => FormattableString.Invariant($" from {least} to {most}"),
    };
}
