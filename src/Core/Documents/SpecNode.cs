namespace Distributed.Core.Documents;

/// <summary>A job file's content before it has a meaning: what YAML and JSON have in common, with positions.</summary>
public abstract record SpecNode(SpecPosition At)
{
    /// <param name="Quoted">Written in quotes: text, whatever it looks like.</param>
    public sealed record Scalar(SpecPosition At, string Text, bool Quoted) : SpecNode(At)
    {
        /// <summary>null, ~ or nothing at all: as if the key were absent.</summary>
        public bool IsNull => !Quoted && Text is "" or "~" or "null" or "Null" or "NULL";
    }

    public sealed record Sequence(SpecPosition At, IReadOnlyList<SpecNode> Items) : SpecNode(At);

    /// <param name="Entries">In the order of the file, keys distinct.</param>
    public sealed record Map(SpecPosition At, IReadOnlyList<Entry> Entries) : SpecNode(At);

    /// <param name="At">Where the key stands.</param>
    public sealed record Entry(SpecPosition At, string Key, SpecNode Value);
}
