using System.Text;
using Distributed.Silo.Cluster.Kubernetes;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster.Files;

/// <summary>
/// Orleans' table of members in one record beside the jobs' own: silos of one machine need no store and no first silo to find each other.
/// A record changes only where it is as it was read; of two silos that write at once one reads again.
/// </summary>
internal sealed class FileMembershipTable(StateFiles files) : IMembershipTable
{
    private const string Collection = "members";
    private const string Key = "table";
    private const int MostAttempts = 50;

    /// <summary>No record is an empty table.</summary>
    public Task InitializeMembershipTable(bool tryInitTableVersion) => Read();

    public Task DeleteMembershipTableEntries(string clusterId) =>
        Change(table => table.Members.Length == 0 ? null : MembershipDocument.Empty);

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => Change(table => table.WithoutDefunct(beforeDate));

    public async Task<MembershipTableData> ReadRow(SiloAddress key)
    {
        var (table, _) = await Read();
        return table.Find(key) is { } row
            ? new MembershipTableData(Tuple.Create(row.Entry(), row.ETag), table.TableVersion)
            : new MembershipTableData(table.TableVersion);
    }

    public async Task<MembershipTableData> ReadAll()
    {
        var (table, _) = await Read();
        return new MembershipTableData([.. table.Members.Select(row => Tuple.Create(row.Entry(), row.ETag))], table.TableVersion);
    }

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => Change(table => table.Insert(entry, tableVersion));

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        Change(table => table.Update(entry, etag, tableVersion));

    public Task UpdateIAmAlive(MembershipEntry entry) => Change(table => table.SignOfLife(entry.SiloAddress, entry.IAmAliveTime));

    private async Task<(MembershipDocument Table, string? ETag)> Read()
    {
        var record = await Task.Run(() => files.Read(Collection, Key));
        return (MembershipDocument.Parse(record is null ? null : Encoding.UTF8.GetString(record.Content.Span)), record?.ETag);
    }

    /// <summary>Reads, changes and puts back, again from the start when another silo was faster.</summary>
    /// <param name="change">Null: it does not hold on the table as it is now.</param>
    private async Task<bool> Change(Func<MembershipDocument, MembershipDocument?> change)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            var (table, etag) = await Read();
            if (change(table) is not { } next) return false;
            var content = Encoding.UTF8.GetBytes(next.Write());
            var (written, _) = await Task.Run(() => files.Write(Collection, Key, etag, content));
            if (written is not null) return true;
        }

        throw new TimeoutException(
            $"The table of members was changed by other silos {MostAttempts} times in a row while this one tried to.");
    }
}
