using Distributed.Grains.Contracts;
using Distributed.Grains.Jobs;
using Distributed.Testing.Servers;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Silo.Tests.Cluster;

/// <summary>What a job relies on, whichever store keeps it.</summary>
public sealed class GrainStorageTests(Stores stores) : IClassFixture<Stores>
{
    private const string Name = "job";

    private static JobRecord Record(int generation) =>
        new() { Submission = Specs.Submission(), State = new JobState { Phase = JobPhase.Running, Generation = new(generation) } };

    private static GrainId Job(string key) => GrainId.Create("job", key);

    private static GrainState<JobRecord> Fresh() => new(new JobRecord());

    private async Task<IGrainStorage> Open(string store) => (await stores.SiloAsync(store)).Storage;

    private static async Task<GrainState<JobRecord>> Written(IGrainStorage storage, GrainId job, int generation)
    {
        var state = Fresh();
        await storage.ReadStateAsync(Name, job, state);
        state.State = Record(generation);
        await storage.WriteStateAsync(Name, job, state);
        return state;
    }

    private static async Task<GrainState<JobRecord>> Read(IGrainStorage storage, GrainId job)
    {
        var state = Fresh();
        await storage.ReadStateAsync(Name, job, state);
        return state;
    }

    [Theory, StoreData("files"), StoreData("redis"), StoreData("postgres")]
    public async Task Write_ReadBack_IsTheSame(string store)
    {
        var storage = await Open(store);
        var absent = await Read(storage, Job("round"));
        Assert.False(absent.RecordExists);
        Assert.Equal(JobPhase.Absent, absent.State!.State.Phase);

        var state = await Written(storage, Job("round"), 1);
        state.State = Record(2);
        await storage.WriteStateAsync(Name, Job("round"), state);
        var back = await Read(storage, Job("round"));
        Assert.True(back.RecordExists);
        Assert.Equal((2, state.ETag), (back.State!.State.Generation.Value, back.ETag));
        Assert.Equal(Specs.Submission(), back.State.Submission);
    }

    [Theory, StoreData("files"), StoreData("redis"), StoreData("postgres")]
    public async Task Write_OfAStaleActivation_IsRefusedAndChangesNothing(string store)
    {
        var storage = await Open(store);
        await Written(storage, Job("stale"), 1);
        var (one, other) = (await Read(storage, Job("stale")), await Read(storage, Job("stale")));
        one.State = Record(2);
        await storage.WriteStateAsync(Name, Job("stale"), one);
        other.State = Record(99);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync(Name, Job("stale"), other));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync(Name, Job("stale"), other));
        Assert.Equal(2, (await Read(storage, Job("stale"))).State!.State.Generation.Value);
    }

    [Theory, StoreData("files"), StoreData("redis"), StoreData("postgres")]
    public async Task Write_OfManyCreators_SucceedsForOne(string store)
    {
        var storage = await Open(store);
        var outcomes = await Task.WhenAll(Enumerable.Range(1, 8).Select(async generation =>
        {
            var state = Fresh();
            state.State = Record(generation);
            try
            {
                await storage.WriteStateAsync(Name, Job("created"), state);
                return generation;
            }
            catch (InconsistentStateException)
            {
                return 0;
            }
        }));
        var winner = Assert.Single(outcomes, generation => generation > 0);
        Assert.Equal(winner, (await Read(storage, Job("created"))).State!.State.Generation.Value);
    }

    [Theory, StoreData("files"), StoreData("redis"), StoreData("postgres")]
    public async Task Write_OfCompetingWriters_LosesNoUpdate(string store)
    {
        var storage = await Open(store);
        await Written(storage, Job("counted"), 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            for (var done = 0; done < 5;)
            {
                var state = await Read(storage, Job("counted"));
                state.State = Record(state.State!.State.Generation.Value + 1);
                try
                {
                    await storage.WriteStateAsync(Name, Job("counted"), state);
                    done++;
                }
                catch (InconsistentStateException)
                {
                    // Another one was faster: read again.
                }
            }
        }));
        Assert.Equal(20, (await Read(storage, Job("counted"))).State!.State.Generation.Value);
    }

    [Theory, StoreData("files"), StoreData("redis"), StoreData("postgres")]
    public async Task Clear_ThenCreate_IsANewRecordThatOldActivationsDoNotTouch(string store)
    {
        var storage = await Open(store);
        var state = await Written(storage, Job("cleared"), 1);
        var old = await Read(storage, Job("cleared"));
        await storage.ClearStateAsync(Name, Job("cleared"), state);
        Assert.Equal((false, JobPhase.Absent), (state.RecordExists, state.State!.State.Phase));
        Assert.False((await Read(storage, Job("cleared"))).RecordExists);
        await Written(storage, Job("cleared"), 7);
        old.State = Record(99);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync(Name, Job("cleared"), old));
        Assert.Equal(7, (await Read(storage, Job("cleared"))).State!.State.Generation.Value);
    }

    [Theory, StoreData("files"), StoreData("redis"), StoreData("postgres")]
    public async Task Keys_ThatLookAlike_AreDifferentJobs(string store)
    {
        var storage = await Open(store);
        // Numbers, hex digits and GUIDs in several spellings, and what file systems find hard.
        string[] keys =
        [
            "7", "07", "007", "a", "A", "ab", "Ab", "AB", "..", ".", "x.y", "x_y", "x/y", "x%2fy", "x y", "ä", "-", "CON", "nul",
            new('z', 64), new('Z', 64), new('Z', 200), new string('Z', 200) + "z",
            "0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789abcdef", "01234567-89ab-cdef-0123-456789abcdef",
        ];
        for (var i = 0; i < keys.Length; i++) await Written(storage, Job(keys[i]), i + 1);
        for (var i = 0; i < keys.Length; i++)
            Assert.Equal((keys[i], i + 1), (keys[i], (await Read(storage, Job(keys[i]))).State!.State.Generation.Value));
    }
}
