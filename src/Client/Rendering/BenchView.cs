using System.Text.Json;

namespace Distributed.Client.Rendering;

/// <summary>Renders a bench as it runs: rows on stderr while it measures, the table and ratios on stdout at its end.</summary>
internal sealed class BenchView(TextWriter output, TextWriter error)
{
    public bool HasSummary { get; private set; }

    public void Accept(string line)
    {
        using var parsed = Parse(line);
        if (parsed?.RootElement is not { ValueKind: JsonValueKind.Object } root) error.WriteLine(line);
        else if (root.TryGetProperty("row", out var row)) error.WriteLine(Row(row));
        else if (root.TryGetProperty("summary", out var summary)) WriteSummary(summary);
    }

    private void WriteSummary(JsonElement summary)
    {
        HasSummary = true;
        if (summary.TryGetProperty("title", out var title)) output.WriteLine(title.GetString());
        WriteTable(summary);
        if (summary.TryGetProperty("ratios", out var ratios))
        {
            foreach (var ratio in ratios.EnumerateObject()) output.WriteLine($"{ratio.Name}: {Cell(ratio.Value)}");
        }
        if (summary.TryGetProperty("tables", out var tables))
        {
            foreach (var table in tables.EnumerateArray())
            {
                output.WriteLine();
                output.WriteLine(Cell(table.GetProperty("title")));
                WriteTable(table);
            }

            if (tables.GetArrayLength() > 0) output.WriteLine();
        }

        if (summary.TryGetProperty("notes", out var notes))
        {
            foreach (var note in notes.EnumerateArray()) output.WriteLine(Cell(note));
        }
    }

    private void WriteTable(JsonElement table)
    {
        if (table.TryGetProperty("columns", out var columns) && table.TryGetProperty("rows", out var rows))
            TextTable.Write(output, Cells(columns), [.. rows.EnumerateArray().Select(Cells)]);
    }

    private static string Row(JsonElement row) => row.ValueKind == JsonValueKind.Object
        ? string.Join("  ", row.EnumerateObject().Select(field => $"{field.Name} {Cell(field.Value)}"))
        : Cell(row);

    private static IReadOnlyList<string> Cells(JsonElement array) => [.. array.EnumerateArray().Select(Cell)];

    private static string Cell(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null => "-",
        JsonValueKind.Number => ProgressCells.Text($"{value.GetDouble():G4}"),
        _ => value.GetRawText(),
    };

    private static JsonDocument? Parse(string line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
