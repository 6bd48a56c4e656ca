using System.Net;
using Distributed.Testing.Servers;
using Orleans.Runtime;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>What Orleans' membership relies on, whichever store holds the table.</summary>
public sealed class MembershipTableTests(Stores stores) : IClassFixture<Stores>
{
    private static readonly DateTime Noon = new(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);
    private static int clusters;

    private static MembershipEntry Silo(int port, SiloStatus status = SiloStatus.Active) => new()
    {
        SiloAddress = SiloAddress.New(IPAddress.Loopback, port, 99),
        SiloName = $"silo-{port}",
        HostName = "host",
        Status = status,
        ProxyPort = 0,
        StartTime = Noon,
        IAmAliveTime = Noon,
    };

    /// <summary>Two silos' views of the empty table of a new cluster.</summary>
    private async Task<(ProviderHost Host, IMembershipTable Table)> Open(string store)
    {
        var host = await ProviderHost.BuildAsync(
            await stores.SettingsAsync(store, $"cluster-{Interlocked.Increment(ref clusters)}"), stores.JobsRoot);
        await host.Members.InitializeMembershipTableAsync(true);
        return (host, host.Members);
    }

    private static async Task<MembershipTableData> Inserted(IMembershipTable table, params MembershipEntry[] silos)
    {
        foreach (var silo in silos) Assert.True(await table.InsertRowAsync(silo, (await table.ReadAllAsync()).Version.Next()));
        return await table.ReadAllAsync();
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Insert_ReadBack_IsTheSameRow(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var empty = await table.ReadAllAsync();
        Assert.Equal((0, 0), (empty.Version.Version, empty.Members.Count));

        var read = await Inserted(table, Silo(1), Silo(2, SiloStatus.Joining));
        Assert.Equal((2, 2), (read.Version.Version, read.Members.Count));
        var row = read.TryGet(Silo(2).SiloAddress)!.Item1;
        Assert.Equal(
            ("silo-2", "host", SiloStatus.Joining, 0, Noon, Noon),
            (row.SiloName, row.HostName, row.Status, row.ProxyPort, row.StartTime, row.IAmAliveTime));

        var one = await table.ReadRowAsync(Silo(1).SiloAddress);
        Assert.Equal(("silo-1", 2), (Assert.Single(one.Members).Item1.SiloName, one.Version.Version));
        var none = await table.ReadRowAsync(Silo(3).SiloAddress);
        Assert.Equal((0, 2), (none.Members.Count, none.Version.Version));
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Insert_StaleOrTwice_IsRefused(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var before = (await table.ReadAllAsync()).Version.Next();
        Assert.True(await table.InsertRowAsync(Silo(1), before));
        Assert.False(await table.InsertRowAsync(Silo(2), before));
        Assert.False(await table.InsertRowAsync(Silo(1), (await table.ReadAllAsync()).Version.Next()));
        var after = await table.ReadAllAsync();
        Assert.Equal((1, 1), (after.Version.Version, after.Members.Count));
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Update_ReplacesTheRowAndCountsUp(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var read = await Inserted(table, Silo(1), Silo(2));
        var dead = Silo(1, SiloStatus.Dead);
        dead.SuspectTimes = [Tuple.Create(Silo(2).SiloAddress, Noon.AddSeconds(3))];
        Assert.True(await table.UpdateRowAsync(dead, read.TryGet(dead.SiloAddress)!.Item2, read.Version.Next()));
        var after = await table.ReadAllAsync();
        var row = after.TryGet(dead.SiloAddress)!.Item1;
        Assert.Equal((3, SiloStatus.Dead), (after.Version.Version, row.Status));
        Assert.Equal(Tuple.Create(Silo(2).SiloAddress, Noon.AddSeconds(3)), Assert.Single(row.SuspectTimes!));
        Assert.Equal(SiloStatus.Active, after.TryGet(Silo(2).SiloAddress)!.Item1.Status);
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Update_Stale_IsRefused(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var read = await Inserted(table, Silo(1));
        var etag = read.TryGet(Silo(1).SiloAddress)!.Item2;
        Assert.True(await table.UpdateRowAsync(Silo(1, SiloStatus.ShuttingDown), etag, read.Version.Next()));
        Assert.False(await table.UpdateRowAsync(Silo(1, SiloStatus.Active), etag, read.Version.Next()));
        Assert.Equal(SiloStatus.ShuttingDown, (await table.ReadAllAsync()).Members[0].Item1.Status);
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("postgres")]
    public async Task Update_AbsentRow_IsRefused(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var read = await Inserted(table, Silo(1));
        Assert.False(await table.UpdateRowAsync(Silo(2), read.Members[0].Item2, read.Version.Next()));
        Assert.Equal(1, (await table.ReadAllAsync()).Version.Version);
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task UpdateIAmAlive_ChangesNothingElseAndInvalidatesNothing(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var read = await Inserted(table, Silo(1), Silo(2));
        // A time that is far from the reader's would be replaced; stores keep whole seconds.
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var said = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        await table.UpdateIAmAliveAsync(new MembershipEntry { SiloAddress = Silo(1).SiloAddress, IAmAliveTime = said });
        var after = await table.ReadAllAsync();
        var row = after.TryGet(Silo(1).SiloAddress)!.Item1;
        Assert.Equal((2, said, "silo-1", Noon), (after.Version.Version, row.IAmAliveTime, row.SiloName, row.StartTime));
        // What was read before the sign of life still holds.
        Assert.True(await table.UpdateRowAsync(Silo(2, SiloStatus.Dead), read.TryGet(Silo(2).SiloAddress)!.Item2, read.Version.Next()));
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Cleanup_RemovesOldDeadRowsOnly(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        var late = Silo(3, SiloStatus.Dead);
        late.IAmAliveTime = Noon.AddHours(2);
        await Inserted(table, Silo(1), Silo(2, SiloStatus.Dead), late);
        await table.CleanupDefunctSiloEntriesAsync(Noon.AddHours(1));
        Assert.Equal([1, 3], (await table.ReadAllAsync()).Members.Select(m => m.Item1.SiloAddress.Endpoint.Port).Order());
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Delete_RemovesTheClustersTable(string store)
    {
        var settings = await stores.SettingsAsync(store, "deleted");
        await using var host = await ProviderHost.BuildAsync(settings, stores.JobsRoot);
        await host.Members.InitializeMembershipTableAsync(true);
        await Inserted(host.Members, Silo(1));
        await host.Members.DeleteMembershipTableEntriesAsync("deleted");
        await host.Members.InitializeMembershipTableAsync(true);
        Assert.Empty((await host.Members.ReadAllAsync()).Members);
    }

    [Theory, StoreData("files"), StoreData("kubernetes"), StoreData("redis"), StoreData("postgres")]
    public async Task Update_OfManyWritersAtOnce_LosesNone(string store)
    {
        var (host, table) = await Open(store);
        await using var _ = host;
        await Inserted(table, Silo(1));
        await Task.WhenAll(Enumerable.Range(2, 8).Select(async port =>
        {
            while (!await table.InsertRowAsync(Silo(port), (await table.ReadAllAsync()).Version.Next()))
                await table.UpdateIAmAliveAsync(Silo(1));
        }));
        var after = await table.ReadAllAsync();
        Assert.Equal((9, 9), (after.Version.Version, after.Members.Count));
    }
}
