using Distributed.Core.Jobs;

namespace Distributed.Training.Data;

/// <summary>
/// A data set inside a .tar or .tar.gz, which is read twice: once for what it holds, once for the files that are wanted. Nothing
/// is unpacked to disk.
/// </summary>
internal sealed class ArchiveTree : IDataTree
{
    private readonly string archive;
    private readonly TarTree tree = new();

    /// <exception cref="JobException">The archive is damaged or cut short.</exception>
    public ArchiveTree(string archive)
    {
        this.archive = archive;
        TarArchive.Read(archive, (number, entry) =>
        {
            tree.Add(number, entry);
            return true;
        });
    }

    public bool IsFolder(string path) => tree.Find(path) is TarNode.Folder;

    public IReadOnlyList<string> Names(string folder) => tree.Find(folder) is TarNode.Folder found ? [.. found.Children.Keys] : [];

    public string Describe(string path) => path.Length == 0 ? archive : $"{archive}:{path}";

    public void Read(IReadOnlyCollection<string> files, Action<string, long> check, Action<string, byte[]> take)
    {
        var wanted = files.ToLookup(EntryOf);
        var left = wanted.Count;
        if (left == 0) return;
        TarArchive.Read(archive, (number, entry) =>
        {
            if (!wanted.Contains(number)) return true;
            foreach (var file in wanted[number]) check(file, entry.Length);
            var content = new byte[entry.Length];
            DataFile.ReadExactly(entry.DataStream ?? Stream.Null, content, Describe(entry.Name));
            foreach (var file in wanted[number]) take(file, content);
            return --left > 0;
        });
        if (left > 0) throw DataFile.Invalid(archive, "changed while it was read");
    }

    private int EntryOf(string file) => tree.Find(file) switch
    {
        TarNode.File found => found.Entry,
        TarNode.Folder => throw DataFile.Invalid(Describe(file), "is a folder, expected a file"),
        TarNode.Unreadable bad => throw DataFile.Invalid(Describe(file), bad.Why),
        _ => throw DataFile.Invalid(Describe(file), "is a link to what is not in the archive"),
    };
}
