using Distributed.Core.Jobs;
using Distributed.Grains.Queue;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Grains.Tests.Queue;

public sealed class QueueListTests
{
    private readonly Store store = new();

    private async Task<QueueList> Open()
    {
        var list = new QueueList(store.Head, store);
        await store.Head.ReadStateAsync();
        await list.Open();
        return list;
    }

    private static string[] Words(QueueList list) => [.. list.Jobs.Select(job => $"{job.JobId}{(job.Ended ? " ended" : "")} {job.User}")];

    [Fact]
    public async Task Changes_OfManyJobs_WriteOnePageEachAndAreReadAgain()
    {
        const int count = (2 * QueueList.PageSize) + 50;
        using var list = await Open();
        for (var i = 0; i < count; i++) await list.Set(JobId.Parse($"job-{i}"), ended: false, "ann");
        Assert.Equal(QueueList.PageSize, store.LargestPage);

        store.Writes.Clear();
        await list.Set(JobId.Parse("job-120"), ended: true);
        await list.Remove(JobId.Parse("job-7"));
        await list.End(JobId.Parse("job-249"));
        await list.End(JobId.Parse("unknown"));
        // Nothing new.
        await list.Set(JobId.Parse("job-120"), ended: true, "ann");
        Assert.Equal(["1", "0", "2"], store.Writes);

        using var again = await Open();
        Assert.Equal(
            Enumerable.Range(0, count).Where(i => i != 7).Select(i => $"job-{i}{(i is 120 or 249 ? " ended" : "")} ann"), Words(again));
        Assert.Equal(Words(list), Words(again));
    }

    /// <summary>One record held them all; it is put into pages once.</summary>
    [Fact]
    public async Task Open_ListOfAnEarlierVersion_IsPutIntoPages()
    {
        store.Head.State = new QueueRecord
        {
            Jobs = [.. Enumerable.Range(0, 150).Select(i => new QueueEntry(JobId.Parse($"job-{i}"), i % 2 == 0) { User = "bob" })],
        };
        await store.Head.WriteStateAsync();
        using (var list = await Open())
        {
            Assert.Equal(150, list.Jobs.Count());
            await list.Set(JobId.Parse("job-3"), ended: true);
        }

        using var again = await Open();
        Assert.Equal(Enumerable.Range(0, 150).Select(i => $"job-{i}{(i % 2 == 0 || i == 3 ? " ended" : "")} bob"), Words(again));
        Assert.Equal((2, 0), (store.Head.State.Pages, store.Head.State.Jobs.Length));
    }

    /// <summary>A stored name that is no id reads as none.</summary>
    [Fact]
    public async Task Open_EntryWithoutAnId_IsLeftOutAndGoneAfterTheNextChange()
    {
        store.Head.State =
            new QueueRecord { Jobs = [new QueueEntry(default, true), new QueueEntry(JobId.Parse("a"), false) { User = "ann" }] };
        await store.Head.WriteStateAsync();
        for (var time = 0; time < 2; time++)
        {
            using var list = await Open();
            Assert.Equal(["a ann"], Words(list));
        }

        using (var list = await Open()) await list.Set(JobId.Parse("b"), ended: true, "bob");
        using var after = await Open();
        Assert.Equal(["a ann", "b ended bob"], Words(after));
    }

    [Fact]
    public async Task Change_ThatCannotBeWritten_NeverWas()
    {
        using var list = await Open();
        await list.Set(JobId.Parse("first"), ended: false, "ann");
        foreach (var broken in new[] { "0", Store.HeadName })
        {
            store.Broken = broken;
            if (broken == "0") await Assert.ThrowsAsync<OrleansException>(() => list.Set(JobId.Parse("first"), ended: true));
            else
            {
                store.Broken = null;
                for (var i = 1; i < QueueList.PageSize; i++) await list.Set(JobId.Parse($"job-{i}"), ended: false, "ann");
                store.Broken = broken;
                await Assert.ThrowsAsync<IOException>(() => list.Set(JobId.Parse("one-more"), ended: false, "ann"));
            }

            store.Broken = null;
            using var again = await Open();
            Assert.Equal(Words(again), Words(list));
            Assert.Equal("first ann", Words(list)[0]);
        }

        await list.Set(JobId.Parse("one-more"), ended: false, "ann");
        Assert.Equal(QueueList.PageSize + 1, list.Jobs.Count());
    }

    /// <summary>A second activation of the queue has written since.</summary>
    [Fact]
    public async Task Change_OfAPageThatAnotherWrote_IsRefused()
    {
        using var list = await Open();
        await list.Set(JobId.Parse("first"), ended: false, "ann");
        using (var other = await Open()) await other.Set(JobId.Parse("second"), ended: false, "bob");
        await Assert.ThrowsAsync<InconsistentStateException>(() => list.Set(JobId.Parse("third"), ended: false, "ann"));
    }

    private sealed class Store : IGrainStorage
    {
        public const string HeadName = "head";

        private readonly Dictionary<string, (object State, string ETag)> kept = [];

        public Store() => Head = new HeadState(this);

        public HeadState Head { get; }

        public List<string> Writes { get; } = [];

        public string? Broken { get; set; }

        public int LargestPage => kept.Values.Select(k => k.State).OfType<QueuePage>().Max(page => page.Jobs.Length);

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (!kept.TryGetValue(grainId.Key.ToString()!, out var found)) return Task.CompletedTask;
            (grainState.State, grainState.ETag, grainState.RecordExists) = ((T)found.State, found.ETag, true);
            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            var key = grainId.Key.ToString()!;
            if (key == Broken) throw new IOException("full");
            if ((kept.TryGetValue(key, out var found) ? found.ETag : null) != grainState.ETag)
                throw new InconsistentStateException("written", found.ETag, grainState.ETag);
            if (key != HeadName) Writes.Add(key);
            kept[key] = (grainState.State!, grainState.ETag = Guid.NewGuid().ToString());
            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => throw new NotSupportedException();

        public sealed class HeadState(Store store) : IPersistentState<QueueRecord>
        {
            private static readonly GrainId Id = GrainId.Create("queue", HeadName);
            private readonly GrainState<QueueRecord> kept = new(new QueueRecord());

            public QueueRecord State
            {
                get => kept.State!;
                set => kept.State = value;
            }

            public string? Etag => kept.ETag;

            public bool RecordExists => kept.RecordExists;

            public Task ClearStateAsync() => throw new NotSupportedException();

            public Task ReadStateAsync() => store.ReadStateAsync("queue", Id, kept);

            public Task WriteStateAsync() => store.WriteStateAsync("queue", Id, kept);
        }
    }
}
