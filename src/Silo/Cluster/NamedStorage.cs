using Distributed.Grains.Contracts;
using Orleans.Storage;

namespace Distributed.Silo.Cluster;

/// <summary>Storage whose failures name the store and say what is wrong with it, up to the client that asked.</summary>
/// <param name="store">As <see cref="StoreWords"/> names it.</param>
internal sealed class NamedStorage(IGrainStorage inner, string store) : IGrainStorage
{
    /// <exception cref="StorageException">The store failed.</exception>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Name(() => inner.ReadStateAsync(stateName, grainId, grainState));

    /// <exception cref="StorageException">The store failed; what it held before may have been replaced.</exception>
    /// <exception cref="InconsistentStateException">Another activation wrote in between.</exception>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Name(() => inner.WriteStateAsync(stateName, grainId, grainState));

    /// <inheritdoc cref="WriteStateAsync"/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        Name(() => inner.ClearStateAsync(stateName, grainId, grainState));

    private async Task Name(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (e is not InconsistentStateException && StoreWords.Of(e, store) is { } words)
        {
            throw new StorageException(words, e);
        }
    }
}
