using System.Formats.Tar;

namespace Distributed.Training.Data;

/// <summary>
/// The files that unpacking a tar archive would leave, told by its headers alone: of equal names the last one counts, links are followed.
/// </summary>
internal sealed class TarTree
{
    private const int LongestChain = 40;

    private readonly TarNode.Folder root = new();

    /// <summary>
    /// Takes the archive's next entry; those that would lie outside the archive's own folder are passed over, as tar does.
    /// </summary>
    /// <exception cref="InvalidDataException">No program could unpack it: it lies below a file or an outward link.</exception>
    public void Add(int number, TarEntry entry)
    {
        if (entry.EntryType is TarEntryType.GlobalExtendedAttributes) return;
        var name = SparseName(entry) ?? entry.Name;
        var parts = name.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".").ToList();
        if (parts.Count == 0 || parts.Contains("..")) return;
        var folder = MakeFolders(parts[..^1], name);
        var isFolder = entry.EntryType == TarEntryType.Directory || name.EndsWith('/');
        if (!isFolder) folder.Children[parts[^1]] = NodeOf(number, entry);
        else if (!folder.Children.TryGetValue(parts[^1], out var there) || there is not TarNode.Folder)
            folder.Children[parts[^1]] = new TarNode.Folder();
    }

    /// <summary>What stands at a path; null: nothing.</summary>
    /// <param name="followLast">Also the path's last part is followed if it is a link.</param>
    public TarNode? Find(string path, bool followLast = true)
    {
        Stack<string> pending = new(path.Split('/').Reverse());
        Stack<TarNode.Folder> folders = new([root]);
        var links = 0;
        while (pending.TryPop(out var part))
        {
            if (part is "" or ".") continue;
            if (part == ".." && folders.Count == 1) return new TarNode.Unreadable("is a link that leads out of the archive");
            if (part == "..") folders.Pop();
            else if (!folders.Peek().Children.TryGetValue(part, out var node)) return null;
            else if (node is TarNode.Folder folder) folders.Push(folder);
            else if (node is TarNode.Link link && (pending.Count > 0 || followLast))
            {
                if (link.Target.StartsWith('/')) return new TarNode.Unreadable($"is a link to {link.Target}, outside the archive");
                if (++links > LongestChain) return new TarNode.Unreadable("is a link that leads back to itself");
                foreach (var next in link.Target.Split('/').Reverse()) pending.Push(next);
            }
            else return pending.Count == 0 ? node : null;
        }

        return folders.Peek();
    }

    private TarNode.Folder MakeFolders(List<string> parts, string name)
    {
        var folder = root;
        for (var i = 0; i < parts.Count; i++)
        {
            if (!folder.Children.TryGetValue(parts[i], out var node)) folder.Children.Add(parts[i], node = new TarNode.Folder());
            if (node is TarNode.Link) node = Find(string.Join('/', parts[..(i + 1)]));
            folder = node as TarNode.Folder ?? throw new InvalidDataException(
                $"{name} is below {string.Join('/', parts[..(i + 1)])}, which is not a folder of the archive");
        }

        return folder;
    }

    private TarNode NodeOf(int number, TarEntry entry) => entry.EntryType switch
    {
        _ when SparseName(entry) is not null =>
            new TarNode.Unreadable("is a sparse file; unpack the archive and name the folder, or pack it without --sparse"),
        TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile => new TarNode.File(number),
        TarEntryType.SymbolicLink => new TarNode.Link(entry.LinkName),
        TarEntryType.HardLink => Find(entry.LinkName, followLast: false)
            ?? new TarNode.Unreadable($"is a hard link to {entry.LinkName}, which does not come before it in the archive"),
        var type => new TarNode.Unreadable($"is an entry of type {type}"),
    };

    /// <summary>GNU tar's files with holes in the form of pax: the entry holds a map beside the data, under a made-up name.</summary>
    private static string? SparseName(TarEntry entry)
    {
        if (entry is not PaxTarEntry { ExtendedAttributes: var attributes }
            || !attributes.Keys.Any(key => key.StartsWith("GNU.sparse.", StringComparison.Ordinal))) return null;
        return attributes.GetValueOrDefault("GNU.sparse.name") ?? entry.Name;
    }
}
