using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Client.Silo;

/// <summary>What <c>dtrain-silo doctor</c> prints.</summary>
internal sealed record DoctorReport(string? Fingerprint, IReadOnlyList<DoctorCheck> Checks)
{
    public bool IsHealthy => Checks.All(check => check.Ok);

    /// <returns>Null when the text is no report.</returns>
    public static DoctorReport? Read(string text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, DoctorJson.Default.DoctorReport) is { Checks: not null } report ? report : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public string ToJson() => JsonSerializer.Serialize(this, DoctorJson.Default.DoctorReport);
}

/// <param name="Remedy">What to do when the check failed; beside one that did not, a warning.</param>
internal sealed record DoctorCheck(string Name, bool Ok, string Detail, string? Remedy)
{
    [JsonIgnore]
    public string Result => (Ok, Remedy) switch
    {
        (false, _) => "WRONG",
        (true, null) => "ok",
        _ => "warning",
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
