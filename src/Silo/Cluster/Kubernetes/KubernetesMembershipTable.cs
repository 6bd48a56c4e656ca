using k8s.Models;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster.Kubernetes;

/// <summary>
/// Orleans' table of members in one ConfigMap. The API refuses a map whose resourceVersion is old, so that of two silos that write at once
/// one reads again; what it then finds decides whether its change still holds.
/// </summary>
internal sealed class KubernetesMembershipTable(MembershipConfigMap map, string clusterId) : IMembershipTable
{
    private const int MostAttempts = 50;

    private string Key => $"{clusterId}.json";

    /// <summary>A map without an entry is an empty table.</summary>
    public Task InitializeMembershipTable(bool tryInitTableVersion) => map.Read();

    public Task DeleteMembershipTableEntries(string clusterId) => Rewrite(map => map.Data?.Remove($"{clusterId}.json") == true);

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => Change(table => table.WithoutDefunct(beforeDate));

    public async Task<MembershipTableData> ReadRow(SiloAddress key)
    {
        var table = TableOf(await map.Read());
        return table.Find(key) is { } row
            ? new MembershipTableData(Tuple.Create(row.Entry(), row.ETag), table.TableVersion)
            : new MembershipTableData(table.TableVersion);
    }

    public async Task<MembershipTableData> ReadAll()
    {
        var table = TableOf(await map.Read());
        return new MembershipTableData([.. table.Members.Select(row => Tuple.Create(row.Entry(), row.ETag))], table.TableVersion);
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) =>
        Change(table => table.Insert(entry, tableVersion));

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        Change(table => table.Update(entry, etag, tableVersion));

    public Task UpdateIAmAlive(MembershipEntry entry) => Change(table => table.SignOfLife(entry.SiloAddress, entry.IAmAliveTime));

    private MembershipDocument TableOf(V1ConfigMap map) =>
        MembershipDocument.Parse(map.Data?.TryGetValue(Key, out var text) == true ? text : null);

    /// <param name="change">Null: it does not hold on the table as it is now.</param>
    private Task<bool> Change(Func<MembershipDocument, MembershipDocument?> change) => Rewrite(map =>
    {
        if (change(TableOf(map)) is not { } next) return false;
        map.Data ??= new Dictionary<string, string>();
        map.Data[Key] = next.Write();
        return true;
    });

    /// <summary>Reads, changes and puts back, again from the start when another silo was faster.</summary>
    private async Task<bool> Rewrite(Func<V1ConfigMap, bool> change)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var read = await map.Read();
            if (!change(read)) return false;
            if (await map.TryReplace(read)) return true;
        }

        throw new TimeoutException(
            $"The table of members was changed by other silos {MostAttempts} times in a row while this one tried to.");
    }
}
