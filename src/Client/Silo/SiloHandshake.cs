using System.Text.Json;
using System.Text.Json.Serialization;

namespace Distributed.Client.Silo;

/// <summary>First line to a silo's stdin; its stdin then stays open as the lifeline.</summary>
internal sealed record SiloOrder(string Token, int Port, string JobsRoot)
{
    /// <value>Null: the run's only one.</value>
    public string? Silo { get; init; }

    /// <summary>Endpoint of the silo to join.</summary>
    /// <value>Null: it is the first one.</value>
    public string? Primary { get; init; }

    /// <value>Null: one per core.</value>
    public int? Slots { get; init; }
}

/// <summary>First line of a silo's stdout.</summary>
/// <param name="Endpoint">Where the run's other silos join.</param>
internal sealed record SiloReply(bool Ready, string? Address, int? Pid, string? Fingerprint, string? Endpoint, SiloError? Error);

internal sealed record SiloError(string Code, string Message);

/// <summary>The two lines that client and silo process exchange before the first call.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SiloOrder))]
[JsonSerializable(typeof(SiloReply))]
internal sealed partial class SiloHandshake : JsonSerializerContext
{
    public static string Write(SiloOrder order) => JsonSerializer.Serialize(order, Default.SiloOrder);

    /// <returns>Null when the line is no such reply.</returns>
    public static SiloReply? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, Default.SiloReply) is { } reply
                && (reply.Ready ? Uri.TryCreate(reply.Address, UriKind.Absolute, out _) : reply.Error is not null) ? reply : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
