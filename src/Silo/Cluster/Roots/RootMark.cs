using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Distributed.Silo.Settings;

namespace Distributed.Silo.Cluster.Roots;

/// <summary>What a silo says of itself in the jobs root that it uses.</summary>
/// <param name="Id">Of this start of the silo; no two are alike.</param>
/// <param name="Key">Equal for the silos of one cluster, and for no two clusters.</param>
/// <param name="Cluster">The cluster's id, for people.</param>
/// <param name="Clustering">How its silos find each other, as DTRAIN_CLUSTERING says it.</param>
/// <param name="Endpoint">Of the cluster's first silo, where there is one.</param>
/// <param name="First">It is that first silo.</param>
/// <param name="Kernel">Where a lock that the process holds can be tried; empty: nowhere.</param>
/// <param name="Owns">False while it still looks for others.</param>
internal sealed record RootMark(
    string Id, string Key, string Cluster, string Clustering, string Silo, string Host, int Process, string? Endpoint, bool First,
    DateTimeOffset Since,
    string Kernel = "", bool Owns = false)
{
    /// <summary>What <see cref="MemoryKills"/> counted at the last sign of life.</summary>
    public long? Kills { get; init; }

    /// <summary>The job whose ranks it ran then.</summary>
    public JobId? Job { get; init; }

    /// <summary>One length for all, so that a sign of life overwrites the one before and needs no space on a full disk.</summary>
    private const int Length = 2048;

    /// <param name="beat">Another number each time.</param>
    public byte[] Write(long beat)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{beat:D20}\n{JsonSerializer.Serialize(this, RootJson.Default.RootMark)}\n");
        return Encoding.UTF8.GetBytes(text.PadRight(Length));
    }

    /// <returns>Null for what is no whole mark, as while it is being written.</returns>
    public static (RootMark Mark, long Beat)? Parse(byte[] content)
    {
        var lines = Encoding.UTF8.GetString(content).Split('\n');
        if (lines.Length < 2 || !long.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var beat)) return null;
        try
        {
            return JsonSerializer.Deserialize(lines[1], RootJson.Default.RootMark) is { Id: not null, Key: not null } mark
                ? (mark, beat)
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(RootMark))]
internal sealed partial class RootJson : JsonSerializerContext;
