namespace Distributed.Bench.Figures;

/// <summary>One line of a benchmark's table, reported as soon as it is measured; cells in the order of the summary's columns.</summary>
public sealed record BenchRow(IReadOnlyList<string> Cells);
