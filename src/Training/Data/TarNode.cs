namespace Distributed.Training.Data;

/// <summary>What stands under a name once a tar archive is unpacked.</summary>
internal abstract record TarNode
{
    internal sealed record Folder : TarNode
    {
        public SortedDictionary<string, TarNode> Children { get; } = new(StringComparer.Ordinal);
    }

    /// <param name="Entry">Number of the entry that holds the content.</param>
    internal sealed record File(int Entry) : TarNode;

    internal sealed record Link(string Target) : TarNode;

    /// <param name="Why">It cannot be read, as the end of a sentence.</param>
    internal sealed record Unreadable(string Why) : TarNode;
}
