namespace Distributed.Client.Rendering;

/// <summary>Columns aligned by spaces: readable on a terminal, splittable in a script.</summary>
internal static class TextTable
{
    public static void Write(TextWriter output, IReadOnlyList<string> columns, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = columns.Select((column, index) => rows.Select(row => Cell(row, index).Length).Append(column.Length).Max()).ToArray();
        foreach (var row in rows.Prepend(columns))
        {
            output.WriteLine(string.Join("  ", widths.Select((width, index) => Cell(row, index).PadRight(width))).TrimEnd());
        }
    }

    private static string Cell(IReadOnlyList<string> row, int index) => index < row.Count ? row[index] : "";
}
