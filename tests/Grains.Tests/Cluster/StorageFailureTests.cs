using System.Collections.Concurrent;
using Distributed.Grains.Contracts;
using Distributed.Testing.Training;
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

    /// <summary>Whether a job's first call or a later one runs into it, callers see the storage's own words.</summary>
    [Fact]
    public async Task Store_DoesNotAnswer_ItsWordsReachTheCallerAndWhy()
    {
        var gate = cluster.Scripts.Of("running").Hold(2);
        await cluster.Job("running").Submit(Specs.Submission());
        await cluster.WaitFor("running", "step 1");
        storage.Words = "Redis at 10.0.0.7:6379 does not answer.";
        Assert.Equal(
            storage.Words, (await Assert.ThrowsAsync<StorageException>(() => cluster.Job("new").Submit(Specs.Submission()))).Message);
        Assert.Equal(
            storage.Words,
            (await Assert.ThrowsAsync<StorageException>(() => cluster.Job("running").Stop(checkpoint: true, Callers.Admin))).Message);
        var findings = (await cluster.Job("running").Why())!.Findings;
        Assert.Contains(findings, finding => finding.What.Contains(storage.Words, StringComparison.Ordinal) && finding.Remedy.Length > 0);
        storage.Words = null;
        await cluster.Job("running").Stop(checkpoint: true, Callers.Admin);
        Assert.DoesNotContain(
            (await cluster.Job("running").Why())!.Findings, finding => finding.What.Contains("Redis", StringComparison.Ordinal));
        gate.SetResult();
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

        /// <summary>Nothing is read or written, and this is why.</summary>
        public string? Words { get; set; }

        public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (Words is not null) return Task.FromException(new StorageException(Words));
            grainState.RecordExists = states.TryGetValue(grainId, out var known);
            grainState.State = known is T state ? state : Activator.CreateInstance<T>();
            return Task.CompletedTask;
        }

        public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
        {
            if (Words is not null) return Task.FromException(new StorageException(Words));
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
