using System.Collections.Immutable;
using System.Globalization;

namespace Distributed.Bench.Settings;

/// <param name="Name">Which bench.</param>
/// <param name="Rounds">Repetitions, of which the median counts.</param>
/// <param name="Only">Run only the cases whose name contains this; null: all.</param>
internal sealed record BenchOptions(string Name, int Rounds, string? Only)
{
    /// <summary>The benches that print one number and are not offered to users.</summary>
    public const string PlainStepVerb = "plain-step", MemoryVerb = "memory-of";

    private const int DefaultRounds = 3;

    /// <value>Of one run in a process of its own, by its word in job files.</value>
    public string? Precision { get; init; }

    /// <value>Of one run in a process of its own; 0: the plain loop.</value>
    public int Ranks { get; init; }

    /// <value>Of one run in a process of its own.</value>
    public int MicroBatches { get; init; }

    /// <summary>Bytes of the all-reduces.</summary>
    /// <value>Null: the bench's own.</value>
    public ImmutableArray<long>? Sizes { get; init; }

    /// <summary>Bits a second of networks to compute steps on.</summary>
    /// <value>1, 10 and 100 Gbit/s.</value>
    public ImmutableArray<double> Bandwidths { get; init; } = [1e9, 1e10, 1e11];

    /// <summary>Small cases, one round, no other programs: a check that it runs at all.</summary>
    public bool Quick { get; init; }

    /// <exception cref="FormatException">An argument that is not known, or its value.</exception>
    public static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions(arguments.Count > 0 ? arguments[0] : "", 0, null);
        for (var i = 1; i < arguments.Count; i++)
        {
            options = arguments[i] switch
            {
                "--rounds" => options with { Rounds = ParseRounds(Value()) },
                "--only" when options.Name is not ("matmul" or "latency" or "idle") => options with { Only = Value() },
                "--precision" when options.Name is PlainStepVerb or MemoryVerb => options with { Precision = Value() },
                "--ranks" when options.Name == MemoryVerb => options with { Ranks = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--micro-batches" when options.Name == MemoryVerb =>
                    options with { MicroBatches = int.Parse(Value(), CultureInfo.InvariantCulture) },
                "--sizes" when options.Name == "allreduce" => options with { Sizes = [.. Value().Split(',').Select(ByteSize.Parse)] },
                "--bandwidth" when options.Name == "scaling" =>
                    options with { Bandwidths = [.. Value().Split(',').Select(BitRate.Parse)] },
                "--quick" when options.Name is not ("step" or PlainStepVerb or MemoryVerb) => options with { Quick = true },
                _ => throw new FormatException($"bench {options.Name}: unknown option {arguments[i]}; expected {Expected(options.Name)}."),
            };

            string Value() => ++i < arguments.Count ? arguments[i] : throw new FormatException($"bench: {arguments[i - 1]} needs a value.");
        }
        // A peak hardly differs between runs, and each needs processes of its own.
        return options.Rounds > 0 ? options : options with { Rounds = options.Quick || options.Name == "memory" ? 1 : DefaultRounds };
    }

    private static string Expected(string name) => name switch
    {
        "allreduce" => "--rounds N, --only NAME, --sizes LIST or --quick",
        "scaling" => "--rounds N, --only NAME, --bandwidth LIST or --quick",
        "memory" => "--rounds N, --only NAME or --quick",
        "matmul" or "latency" or "idle" => "--rounds N or --quick",
        _ => "--rounds N or --only NAME",
    };

    private static int ParseRounds(string value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) && rounds is >= 1 and <= 100
            ? rounds
            : throw new FormatException($"bench: --rounds is '{value}', expected 1 to 100.");
}
