namespace Distributed.Bench.Figures;

/// <summary>A further table of a benchmark, under the one of what was measured.</summary>
/// <param name="Title">Says whether it is measured or computed.</param>
public sealed record BenchTable(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows);
