using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Training.Tests.Conformance;

/// <summary>A recorded loss curve of single-process PyTorch, and how to rebuild its start.</summary>
internal sealed record ReferenceCurve
{
    [JsonPropertyName("model")]
    public required string Model { get; init; }

    [JsonPropertyName("optimizer")]
    public required string Optimizer { get; init; }

    [JsonPropertyName("lr")]
    public double Lr { get; init; }

    [JsonPropertyName("momentum")]
    public double Momentum { get; init; }

    [JsonPropertyName("steps")]
    public int Steps { get; init; }

    [JsonPropertyName("init")]
    public required IReadOnlyList<InitEntry> Init { get; init; }

    [JsonPropertyName("init_sha256")]
    public required string InitSha256 { get; init; }

    [JsonPropertyName("x_sha256")]
    public required string XSha256 { get; init; }

    [JsonPropertyName("loss")]
    public required double[] Loss { get; init; }

    [JsonPropertyName("final")]
    public required IReadOnlyList<FinalEntry> Final { get; init; }

    [JsonPropertyName("tolerance")]
    public required Dictionary<string, double> Tolerance { get; init; }

    public static ReferenceCurve Read(string path) => JsonSerializer.Deserialize<ReferenceCurve>(File.ReadAllText(path))!;

    internal sealed record InitEntry(
        [property: JsonPropertyName("name")] string Name,
        [property: JsonPropertyName("shape")] long[] Shape,
        [property: JsonPropertyName("e")] int Exponent);

    internal sealed record FinalEntry(
        [property: JsonPropertyName("name")] string Name, [property: JsonPropertyName("l2")] double L2);
}
