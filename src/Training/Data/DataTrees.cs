namespace Distributed.Training.Data;

/// <summary>Opens what a job's <c>data.path</c> leads to, and finds the set in it.</summary>
internal static class DataTrees
{
    private const string MacFolder = "__MACOSX";
    private const int DeepestRoot = 3;

    public static IDataTree Open(string path) => Directory.Exists(path) ? new FolderTree(path) : new ArchiveTree(path);

    public static string Join(string folder, string name) => folder.Length == 0 ? name : $"{folder}/{name}";

    /// <summary>The folder that holds the set: the one of its usual name, else the tree itself, else the only one near its top.</summary>
    /// <returns>Null: there is none.</returns>
    /// <exception cref="Core.Jobs.JobException">There are several.</exception>
    public static string? FindRoot(IDataTree tree, string usualName, Func<string, bool> holdsSet)
    {
        if (tree.IsFolder(usualName)) return usualName;
        IReadOnlyList<string> level = [""];
        for (var depth = 0; depth <= DeepestRoot && level.Count > 0; depth++)
        {
            var found = level.Where(holdsSet).ToList();
            var usual = found.Where(folder => folder.EndsWith("/" + usualName, StringComparison.Ordinal)).ToList();
            if (usual.Count == 1 || found.Count == 1) return usual.Count == 1 ? usual[0] : found[0];
            if (found.Count > 1)
                throw DataFile.Invalid(
                    tree.Describe(""), $"{found.Count} folders hold such a set: {string.Join(", ", found.Take(5))}",
                    "name one of them, unpacked");
            level = [.. level.SelectMany(folder => Folders(tree, folder))];
        }

        return null;
    }

    /// <summary>Files that a Mac put next to the set, which look like those of the set and hold none of their content.</summary>
    public static IEnumerable<string> MacFiles(IDataTree tree) => FilesBelow(tree, MacFolder, DeepestRoot + 2);

    private static IEnumerable<string> FilesBelow(IDataTree tree, string folder, int depth) => depth == 0 ? [] : tree.Names(folder)
        .Select(name => Join(folder, name))
        .SelectMany(path => tree.IsFolder(path) ? FilesBelow(tree, path, depth - 1) : [path]);

    private static IEnumerable<string> Folders(IDataTree tree, string folder) => tree.Names(folder)
        .Where(name => name != MacFolder && !name.StartsWith('.'))
        .Select(name => Join(folder, name))
        .Where(tree.IsFolder);
}
