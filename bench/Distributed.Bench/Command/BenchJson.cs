using System.Text.Encodings.Web;
using System.Text.Json;
using Distributed.Bench.Figures;

namespace Distributed.Bench.Command;

/// <summary>The lines that the command line reads from a bench.</summary>
internal static class BenchJson
{
    private static readonly JsonSerializerOptions Options =
        new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(IReadOnlyList<string> columns, BenchRow row) =>
        Console.WriteLine(
            JsonSerializer.Serialize(new { row = columns.Zip(row.Cells).ToDictionary(c => c.First, c => c.Second) }, Options));

    public static void Write(BenchSummary summary) => Console.WriteLine(JsonSerializer.Serialize(new { summary }, Options));
}
