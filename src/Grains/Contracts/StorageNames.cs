namespace Distributed.Grains.Contracts;

/// <summary>Names under which the host registers grain storage.</summary>
public static class StorageNames
{
    /// <summary>Holds the jobs and the list of them; the host must configure it.</summary>
    public const string Jobs = "jobs";
}
