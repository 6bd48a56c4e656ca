namespace Distributed.Bench.Figures;

/// <summary>What a benchmark found: a table, the ratios that count, and how to read them.</summary>
/// <param name="Ratios">By name; each measured next to its baseline in the same run.</param>
public sealed record BenchSummary(
    string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows, IReadOnlyDictionary<string, double> Ratios,
    IReadOnlyList<string> Notes)
{
    /// <summary>Further tables, in the order to print them in.</summary>
    public IReadOnlyList<BenchTable> Tables { get; init; } = [];
}
