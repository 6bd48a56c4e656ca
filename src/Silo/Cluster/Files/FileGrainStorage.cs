using Distributed.Core.Jobs;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Distributed.Silo.Cluster.Files;

/// <summary>Grain state in files; a write that does not know the stored record is refused, whichever process it comes from.</summary>
internal sealed class FileGrainStorage(StateFiles files, IGrainStorageSerializer serializer, IActivatorProvider activators) : IGrainStorage
{
    /// <exception cref="JobException">Code <c>storage</c>.</exception>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var record = await Task.Run(() => files.Read(stateName, grainId.ToString()));
        grainState.State = record is null ? Blank<T>() : serializer.Deserialize<T>(new BinaryData(record.Content));
        grainState.ETag = record?.ETag;
        grainState.RecordExists = record is not null;
    }

    /// <exception cref="InconsistentStateException">Another activation wrote in between.</exception>
    /// <exception cref="JobException">Code <c>storage</c>.</exception>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var content = serializer.Serialize(grainState.State).ToMemory();
        var expected = grainState.ETag;
        var (etag, found) = await Task.Run(() => files.Write(stateName, grainId.ToString(), expected, content));
        if (etag is null) throw Conflict("written", stateName, grainId, expected, found);
        grainState.ETag = etag;
        grainState.RecordExists = true;
    }

    /// <exception cref="InconsistentStateException">Another activation wrote in between.</exception>
    /// <exception cref="JobException">Code <c>storage</c>.</exception>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var expected = grainState.ETag;
        var found = await Task.Run(() => files.Remove(stateName, grainId.ToString(), expected));
        if (found != expected) throw Conflict("cleared", stateName, grainId, expected, found);
        grainState.State = Blank<T>();
        grainState.ETag = null;
        grainState.RecordExists = false;
    }

    private T Blank<T>() => activators.GetActivator<T>().Create();

    private static InconsistentStateException Conflict(string what, string stateName, GrainId grainId, string? expected, string? found) =>
        new($"State '{stateName}' of {grainId} was not {what}: another activation has changed it.", found ?? "none", expected ?? "none");
}
