using System.Collections.Concurrent;
using System.Globalization;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Grains.Tests.Cluster;

/// <summary>Outlives every silo of this process; a write must know the state that it replaces.</summary>
internal sealed class SharedStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<(string, GrainId), (object State, int Version)> states = new();

    /// <summary>Key of a grain whose state is not written; null: all are.</summary>
    public string? Refused { get; set; }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        grainState.RecordExists = states.TryGetValue((stateName, grainId), out var known);
        grainState.State = known.State is T state ? state : Activator.CreateInstance<T>();
        grainState.ETag = grainState.RecordExists ? known.Version.ToString(CultureInfo.InvariantCulture) : null;
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (grainId.Key.ToString() == Refused) throw new IOException("The store is away.");
        var version = grainState.ETag is null ? 0 : int.Parse(grainState.ETag, CultureInfo.InvariantCulture);
        lock (states)
        {
            var stored = states.TryGetValue((stateName, grainId), out var known) ? known.Version : 0;
            if (stored != version)
                throw new InconsistentStateException($"{grainId}: version {version} is not {stored}.", $"{stored}", $"{version}");
            states[(stateName, grainId)] = (grainState.State!, version + 1);
        }

        (grainState.RecordExists, grainState.ETag) = (true, (version + 1).ToString(CultureInfo.InvariantCulture));
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        lock (states) states.TryRemove((stateName, grainId), out _);
        (grainState.State, grainState.RecordExists, grainState.ETag) = (Activator.CreateInstance<T>(), false, null);
        return Task.CompletedTask;
    }
}
