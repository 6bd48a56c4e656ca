using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster.Kubernetes;

/// <summary>The table of members as one text. Every change to its rows, signs of life apart, counts its version up.</summary>
internal sealed record MembershipDocument(int Version, ImmutableArray<MemberRow> Members)
{
    public static MembershipDocument Empty { get; } = new(0, []);

    /// <summary>The version is its own ETag: it never comes back.</summary>
    public TableVersion TableVersion => new(Version, Version.ToString(CultureInfo.InvariantCulture));

    public static MembershipDocument Parse(string? text) =>
        text is null ? Empty : JsonSerializer.Deserialize(text, MembershipJson.Default.MembershipDocument) ?? Empty;

    public string Write() => JsonSerializer.Serialize(this, MembershipJson.Default.MembershipDocument);

    public MemberRow? Find(SiloAddress silo) => Members.FirstOrDefault(m => m.Silo == silo.ToParsableString());

    /// <returns>Null when the table moved on since it was read, or the silo has a row.</returns>
    public MembershipDocument? Insert(MembershipEntry entry, TableVersion read) =>
        read.VersionEtag != TableVersion.VersionEtag || Find(entry.SiloAddress) is not null
            ? null
            : new MembershipDocument(Version + 1, Members.Add(MemberRow.Of(entry, Version + 1)));

    /// <returns>Null when the table or the row moved on since they were read, or the silo has no row.</returns>
    public MembershipDocument? Update(MembershipEntry entry, string etag, TableVersion read) =>
        read.VersionEtag != TableVersion.VersionEtag || Find(entry.SiloAddress) is not { } row || row.ETag != etag
            ? null
            : new MembershipDocument(Version + 1, Members.Replace(row, MemberRow.Of(entry, Version + 1).NotBefore(row)));

    /// <returns>Null when the silo has no row.</returns>
    public MembershipDocument? SignOfLife(SiloAddress silo, DateTime time) =>
        Find(silo) is { } row ? this with { Members = Members.Replace(row, row with { IAmAlive = time }) } : null;

    /// <returns>Null when there is nothing to remove.</returns>
    public MembershipDocument? WithoutDefunct(DateTimeOffset before)
    {
        var kept = Members.RemoveAll(m => m.Status != SiloStatus.Active && m.IAmAlive < before.UtcDateTime && m.Start < before.UtcDateTime);
        return kept.Length == Members.Length ? null : this with { Members = kept };
    }
}

/// <param name="Silo">Address and generation.</param>
/// <param name="ETag">The table's version that wrote the row.</param>
internal sealed record MemberRow(
    string Silo, string Name, string Host, SiloStatus Status, int ProxyPort, DateTime Start, DateTime IAmAlive,
    ImmutableArray<Suspicion> Suspicions, string ETag)
{
    public static MemberRow Of(MembershipEntry entry, int version) => new(
        entry.SiloAddress.ToParsableString(),
        entry.SiloName,
        entry.HostName,
        entry.Status,
        entry.ProxyPort,
        entry.StartTime,
        entry.IAmAliveTime,
        [.. (entry.SuspectTimes ?? []).Select(s => new Suspicion(s.Item1.ToParsableString(), s.Item2))],
        version.ToString(CultureInfo.InvariantCulture));

    public MembershipEntry Entry() => new()
    {
        SiloAddress = SiloAddress.FromParsableString(Silo),
        SiloName = Name,
        HostName = Host,
        Status = Status,
        ProxyPort = ProxyPort,
        StartTime = Start,
        IAmAliveTime = IAmAlive,
        SuspectTimes = [.. Suspicions.Select(s => Tuple.Create(SiloAddress.FromParsableString(s.Silo), s.Time))],
    };

    /// <summary>A writer that read the row earlier takes no sign of life back.</summary>
    public MemberRow NotBefore(MemberRow other) => this with { IAmAlive = IAmAlive > other.IAmAlive ? IAmAlive : other.IAmAlive };
}

/// <summary>A silo's vote that another is dead.</summary>
internal sealed record Suspicion(string Silo, DateTime Time);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MembershipDocument))]
internal sealed partial class MembershipJson : JsonSerializerContext;
