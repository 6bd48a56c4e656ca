using System.Text.Json.Serialization;

namespace Distributed.Silo.Settings;

/// <param name="Silo">Name of this silo; null: silo-0.</param>
/// <param name="Primary">Endpoint of the silo to join, as its ready line gave it; null: this is the first one.</param>
/// <param name="Slots">Device slots; null: one per core.</param>
/// <param name="Gateway">Open Orleans' gateway for clients of the same owner.</param>
internal sealed record LifelineSettings(string? Token, int Port, string? JobsRoot, string? Silo, string? Primary, int? Slots, bool Gateway);

/// <param name="Fingerprint">Device kind, libtorch and instruction set.</param>
/// <param name="Endpoint">Where further silos of the same owner join, such as <c>127.0.0.1:40123</c>.</param>
/// <param name="Gateway">Port of Orleans' gateway, on loopback; null: there is none.</param>
internal sealed record ReadyLine(
    bool Ready, string? Address, int? Pid, string? Fingerprint, string? Endpoint, int? Gateway, ReadyError? Error);

internal sealed record ReadyError(string Code, string Message);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LifelineSettings))]
[JsonSerializable(typeof(ReadyLine))]
internal sealed partial class ServeJson : JsonSerializerContext;
