using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Grains.Tests.Cluster;

namespace Distributed.Grains.Tests.Jobs;

public sealed class JobLogTests
{
    private readonly FakeJournals journals = new();

    [Fact]
    public async Task Flush_AfterMoreLinesThanMemoryHeld_WritesEachOnceWithoutAGap()
    {
        var log = await Attached(capacity: 8);
        log.Append("seen");
        await log.Flush();
        journals.IsFull = true;
        for (var i = 0; i < 20; i++) log.Append($"line {i}");
        await Assert.ThrowsAsync<IOException>(log.Flush);
        journals.IsFull = false;
        await log.Flush();
        log.Append("last");
        await log.Flush();
        var lines = (await log.Read(0, 100)).Events;
        Assert.Equal(Enumerable.Range(0, lines.Length).Select(i => (long)i), lines.Select(l => l.Number));
        Assert.Equal("seen", lines[0].Json);
        Assert.Equal(Enumerable.Range(22 - lines.Length, lines.Length - 2).Select(i => $"line {i}"), lines[1..^1].Select(l => l.Json));
        Assert.Equal("last", lines[^1].Json);
        Assert.Equal(lines.Length, log.End);
    }

    [Fact]
    public async Task Read_ClosedAndWritten_ComesFromTheJournal()
    {
        var log = await Attached(capacity: 8);
        for (var i = 0; i < 5; i++) log.Append($"line {i}");
        log.Close();
        Assert.False((await log.Read(0, 100)).Final);
        await log.Flush();
        var page = await log.Read(2, 100);
        Assert.Equal(["line 2", "line 3", "line 4"], page.Events.Select(e => e.Json));
        Assert.True(page.Final);
        log.Reopen();
        log.Append("more");
        await log.Flush();
        Assert.Equal([(4L, "line 4"), (5L, "more")], (await log.Read(4, 100)).Events.Select(e => (e.Number, e.Json)));
    }

    private async Task<JobLog> Attached(int capacity)
    {
        var log = new JobLog(capacity);
        log.Attach(await journals.Open(JobId.Parse("a"), JournalKind.Events), closed: false);
        await log.Begin(1);
        return log;
    }
}
