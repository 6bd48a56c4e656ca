using System.Text.Json.Serialization;

namespace Distributed.Silo.Serve;

internal sealed record LifelineSettings(string? Token, int Port, string? JobsRoot);

/// <param name="Fingerprint">Device kind, libtorch and instruction set.</param>
internal sealed record ReadyLine(bool Ready, string? Address, int? Pid, string? Fingerprint, ReadyError? Error);

internal sealed record ReadyError(string Code, string Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LifelineSettings))]
[JsonSerializable(typeof(ReadyLine))]
internal sealed partial class ServeJson : JsonSerializerContext;
