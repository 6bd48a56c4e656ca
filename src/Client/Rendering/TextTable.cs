namespace Distributed.Client.Rendering;

/// <summary>Columns aligned by spaces: readable on a terminal, splittable in a script.</summary>
internal static class TextTable
{
    private const string Gap = "  ";

    /// <summary>A name cut shorter is none.</summary>
    private const int LeastCut = 8;

    /// <summary>What a name may take where no terminal bounds it: one long name must not push all other columns out of sight.</summary>
    private const int MostCut = 64;

    /// <returns>Columns of the terminal that stdout is; null: it is none.</returns>
    public static int? TerminalWidth() => !Console.IsOutputRedirected && Console.WindowWidth is > 0 and var width ? width : null;

    /// <param name="cut">
    /// Index of the column that gives way, with an ellipsis, where a row would be wider than the terminal; null: none does.
    /// </param>
    /// <param name="width">Of the terminal; null: none.</param>
    public static void Write(
        TextWriter output, IReadOnlyList<string> columns, IReadOnlyList<IReadOnlyList<string>> rows, int? cut = null, int? width = null)
    {
        var widths = columns.Select((column, index) => rows.Select(row => Cell(row, index).Length).Append(column.Length).Max()).ToArray();
        // The last column may run on; it is words.
        if (cut is { } column) widths[column] = Math.Min(widths[column], Room([.. widths[..^1], columns[^1].Length], column, width));
        foreach (var row in rows.Prepend(columns))
        {
            output.WriteLine(string.Join(Gap, widths.Select((most, index) => Fit(Cell(row, index), most).PadRight(most))).TrimEnd());
        }
    }

    private static int Room(int[] widths, int column, int? width) => width is { } terminal
        ? Math.Clamp(terminal - widths.Where((_, index) => index != column).Sum() - (Gap.Length * (widths.Length - 1)), LeastCut, MostCut)
        : MostCut;

    private static string Fit(string cell, int most) => cell.Length <= most ? cell : $"{cell[..(most - 1)]}…";

    private static string Cell(IReadOnlyList<string> row, int index) => index < row.Count ? row[index] : "";
}
