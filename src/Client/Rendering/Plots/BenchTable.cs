using System.Text.Json;

namespace Distributed.Client.Rendering.Plots;

/// <summary>The table of a bench's summary.</summary>
internal sealed record BenchTable(string Title, IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<string>> Rows)
{
    /// <returns>Null when the line is no summary.</returns>
    public static BenchTable? Read(string line)
    {
        try
        {
            using var parsed = JsonDocument.Parse(line);
            if (parsed.RootElement.ValueKind != JsonValueKind.Object || !parsed.RootElement.TryGetProperty("summary", out var summary))
                return null;
            return new(
                summary.GetProperty("title").GetString()!, Cells(summary.GetProperty("columns")),
                [.. summary.GetProperty("rows").EnumerateArray().Select(Cells)]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static IReadOnlyList<string> Cells(JsonElement array) => [.. array.EnumerateArray().Select(cell => cell.ToString())];
}
