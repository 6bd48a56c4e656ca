using Orleans.Runtime;

namespace Distributed.Silo.Cluster.Clocks;

/// <summary>A table of members whose signs of life are read by this silo's clock, whatever clock wrote them.</summary>
internal sealed partial class ClockedMembershipTable(IMembershipTable table, TimeProvider time, ILogger<ClockedMembershipTable> logger)
    : IMembershipTable, IDisposable
{
    private readonly SignsOfLife<SiloAddress> signs = new(time);
    private int warned;

    public Task InitializeMembershipTable(bool tryInitTableVersion) => table.InitializeMembershipTableAsync(tryInitTableVersion);

    public Task DeleteMembershipTableEntries(string clusterId) => table.DeleteMembershipTableEntriesAsync(clusterId);

    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => table.CleanupDefunctSiloEntriesAsync(beforeDate);

    public async Task<MembershipTableData> ReadRow(SiloAddress key) => Translate(await table.ReadRowAsync(key));

    public async Task<MembershipTableData> ReadAll() => Translate(await table.ReadAllAsync());

    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => table.InsertRowAsync(entry, tableVersion);

    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) =>
        table.UpdateRowAsync(entry, etag, tableVersion);

    public Task UpdateIAmAlive(MembershipEntry entry) => table.UpdateIAmAliveAsync(entry);

    public void Dispose() => (table as IDisposable)?.Dispose();

    private MembershipTableData Translate(MembershipTableData rows)
    {
        foreach (var (entry, _) in rows.Members)
        {
            var said = entry.IAmAliveTime;
            entry.IAmAliveTime = signs.Translate(entry.SiloAddress, said);
            var now = time.GetUtcNow().UtcDateTime;
            if (entry.Status == SiloStatus.Active && said - now > SignsOfLife<SiloAddress>.Tolerance
                && Interlocked.Exchange(ref warned, 1) == 0)
                LogAhead(entry.SiloName, said, now, (said - now).TotalSeconds);
        }

        return rows;
    }

    [LoggerMessage(4251, LogLevel.Warning,
        "The clock of silo {Silo}, which last wrote {Theirs:yyyy-MM-dd HH:mm:ss}Z into the table of members, is {Seconds:0.#} s ahead of "
        + "this silo's, {Own:yyyy-MM-dd HH:mm:ss}Z: set both by one time server. Its entry counts from when this silo saw it.")]
    private partial void LogAhead(string silo, DateTime theirs, DateTime own, double seconds);
}
