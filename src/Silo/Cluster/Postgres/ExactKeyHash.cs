using Orleans.Storage;

namespace Distributed.Silo.Cluster.Postgres;

/// <summary>
/// Tells apart keys that Orleans' relational storage takes for one number or GUID, such as jobs "7" and "07" or "a" and "A".
/// It hashes the key as it is written; the hash is a part of the row's primary key.
/// </summary>
internal sealed class ExactKeyHash : IStorageHasherPicker
{
    public ICollection<IHasher> HashProviders { get; } = [];

    public IHasher PickHasher<T>(
        string serviceId, string storageProviderInstanceName, string grainType, GrainId grainId, IGrainState<T> grainState,
        string? tag = null) =>
        new OfKey(unchecked((int)StableHash.ComputeHash(grainId.Key.AsSpan())));

    private sealed class OfKey(int hash) : IHasher
    {
        public string Description => "The key as it is written.";

        public int Hash(byte[] data) => hash;
    }
}
