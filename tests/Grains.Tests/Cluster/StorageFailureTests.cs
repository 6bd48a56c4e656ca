using System.Collections.Concurrent;
using Distributed.Grains.Jobs;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Grains.Tests.Cluster;

public sealed class StorageFailureTests : IAsyncLifetime
{
    private readonly FullDisk storage = new();
    private TrainingCluster cluster = null!;

    public async Task InitializeAsync() => cluster = await TrainingCluster.Start(1, storage: storage);

    public async Task DisposeAsync() => await cluster.DisposeAsync();

    [Fact]
    public async Task Submit_NotStored_LeavesNoJobAndCanBeRepeated()
    {
        storage.IsFull = true;
        await Assert.ThrowsAsync<OrleansException>(() => cluster.Job("a").Submit(Specs.Submission()));
        Assert.Null(await cluster.Job("a").Status());
        storage.IsFull = false;
        Assert.Equal(SubmitResult.Created, (await cluster.Job("a").Submit(Specs.Submission())).Result);
        Assert.Equal(7, (await cluster.Watch("a")).Count);
    }

    [Fact]
    public async Task Begin_NotStored_GivesTheSilosBackAndTheJobStaysQueued()
    {
        var gate = cluster.Scripts.Of("first").Hold(2);
        await cluster.Job("first").Submit(Specs.Submission());
        await cluster.WaitFor("first", "step 1");
        await cluster.Job("second").Submit(Specs.Submission());
        storage.Refused = "second";
        await cluster.Job("third").Submit(Specs.Submission());
        gate.SetResult();
        Assert.Equal(7, (await cluster.Watch("first")).Count);
        Assert.Equal(7, (await cluster.Watch("third")).Count);
        Assert.Equal(JobPhase.Queued, (await cluster.Job("second").Status())!.Phase);
    }

    /// <summary>Keeps states in memory, and refuses writes on demand.</summary>
    private sealed class FullDisk : IGrainStorage
    {
        private readonly ConcurrentDictionary<GrainId, object> states = new();

        public bool IsFull { get; set; }

        public string? Refused { get; set; }

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            grainState.RecordExists = states.TryGetValue(grainId, out var known);
            grainState.State = known is T state ? state : Activator.CreateInstance<T>();
            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (IsFull || grainId.Key.ToString() == Refused) return Task.FromException(new IOException("The disk is full."));
            states[grainId] = grainState.State!;
            grainState.RecordExists = true;
            return Task.CompletedTask;
        }

        public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            states.TryRemove(grainId, out _);
            return Task.CompletedTask;
        }
    }
}
