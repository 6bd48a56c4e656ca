using System.Globalization;
using Distributed.Client.Outcomes;

namespace Distributed.Client.Rendering.Plots;

/// <summary>Which columns of a bench's table make its picture.</summary>
/// <param name="Panels">One panel for each combination of their cells.</param>
/// <param name="Series">Within a panel, one line or bar for each combination of theirs.</param>
/// <param name="X">Null: bars.</param>
/// <param name="Logarithmic">Both axes.</param>
internal sealed record PlotForm(string[] Panels, string[] Series, string? X, string Y, bool Logarithmic = false)
{
    /// <param name="bench">Name of the bench.</param>
    public static PlotForm Of(string bench) => bench switch
    {
        "matmul" => new([], ["precision"], "size", "GFLOP/s", Logarithmic: true),
        "memory" => new(["model"], ["precision", "what"], null, "peak MiB"),
        "step" => new(["model"], ["precision", "what"], null, "ratio"),
        "allreduce" => new(["case", "ranks on cores"], ["who"], "bytes", "bus GB/s", Logarithmic: true),
        "latency" => new([], ["calls"], null, "p99 ms"),
        "idle" => new([], ["process"], null, "CPU % of a core"),
        "scaling" => new(["model", "precision"], ["batch", "silos"], "ranks", "samples/s"),
        _ => throw new CommandFailure(ExitCode.Usage, $"--plot: there is no picture of 'bench {bench}'. Take the rows from --json."),
    };

    /// <summary>The figures to draw; rows without a number in the columns are left out.</summary>
    public IReadOnlyList<PlotPanel> Arrange(BenchTable table) =>
    [
        .. table.Rows.Select(row => (Panel: Label(table, row, Panels), Line: Label(table, row, Series),
            X: X is null ? 0 : Number(table, row, X), Y: Number(table, row, Y)))
            .Where(p => p.X is not null && p.Y is not null && !(Logarithmic && (p.X <= 0 || p.Y <= 0)))
            .GroupBy(p => p.Panel)
            .Select(panel => new PlotPanel(
                panel.Key,
                [.. panel.GroupBy(p => p.Line).Select(line => new PlotSeries(line.Key, [.. line.Select(p => (p.X!.Value, p.Y!.Value))]))])),
    ];

    /// <summary>Cells that are numbers say of what.</summary>
    private static string Label(BenchTable table, IReadOnlyList<string> row, string[] columns) => string.Join(
        ", ",
        columns.Select(column => (Column: column, Text: Cell(table, row, column))).Where(c => c.Text is not ("" or "-"))
            .Select(
                c => Parse(c.Text) is null ? c.Column == "ranks on cores" ? $"ranks on cores: {c.Text}" : c.Text : $"{c.Column} {c.Text}"));

    private static double? Number(BenchTable table, IReadOnlyList<string> row, string column) => Parse(Cell(table, row, column));

    private static string Cell(BenchTable table, IReadOnlyList<string> row, string column)
    {
        var index = table.Columns.ToList().IndexOf(column);
        return index >= 0 && index < row.Count ? row[index] : "";
    }

    private static double? Parse(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
}

internal sealed record PlotPanel(string Title, IReadOnlyList<PlotSeries> Series);

internal sealed record PlotSeries(string Label, IReadOnlyList<(double X, double Y)> Points);
