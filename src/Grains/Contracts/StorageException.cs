using Orleans.Runtime;

namespace Distributed.Grains.Contracts;

/// <summary>
/// What has to be stored could not be written or read; the message names the store, what is wrong with it and the remedy.
/// </summary>
/// <remarks>
/// One of Orleans' own, so that it reaches callers as it is: any other error of a storage is wrapped in words about Orleans.
/// </remarks>
[GenerateSerializer]
public sealed class StorageException : OrleansException
{
    public StorageException(string message)
        : base(message)
    {
    }

    public StorageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
