using System.Globalization;

namespace Distributed.Silo.Bench;

/// <param name="Name">Which bench.</param>
/// <param name="Rounds">Repetitions, of which the median counts.</param>
/// <param name="Only">Run only the cases whose name contains this; null: all.</param>
internal sealed record BenchOptions(string Name, int Rounds, string? Only)
{
    /// <value>Of the plain loop alone, by its word in job files.</value>
    public string? Precision { get; init; }

    private const int DefaultRounds = 3;

    /// <exception cref="FormatException">An argument that is not known, or its value.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions(arguments.Count > 0 ? arguments[0] : "", DefaultRounds, null);
        for (var i = 1; i < arguments.Count; i += 2)
        {
            var value = i + 1 < arguments.Count ? arguments[i + 1] : throw new FormatException($"bench: {arguments[i]} needs a value.");
            options = arguments[i] switch
            {
                "--rounds" => options with { Rounds = ParseRounds(value) },
                "--only" => options with { Only = value },
                "--precision" when options.Name == UntunedProcess.Verb => options with { Precision = value },
                _ => throw new FormatException($"bench: unknown option {arguments[i]}; expected --rounds N or --only NAME."),
            };
        }
        return options;
    }

    private static int ParseRounds(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds is >= 1 and <= 100
            ? rounds
            : throw new FormatException($"bench: --rounds is '{value}', expected 1 to 100.");
}
