using Distributed.Core.Jobs;
using Distributed.Core.Machine;

namespace Distributed.Training.Data;

/// <summary>A data set that lies unpacked on a disk.</summary>
internal sealed class FolderTree(string root) : IDataTree
{
    public bool IsFolder(string path) => Directory.Exists(Place(path));

    public IReadOnlyList<string> Names(string folder)
    {
        var place = Place(folder);
        if (!Directory.Exists(place)) return [];
        try
        {
            return [.. RegularFolder.Names(place).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobException(ErrorCodes.DataInvalid, $"{place}: cannot be listed ({e.Message}).", e);
        }
    }

    public string Describe(string path) => Place(path);

    public void Read(IReadOnlyCollection<string> files, Action<string, long> check, Action<string, byte[]> take)
    {
        foreach (var file in files)
        {
            var place = Place(file);
            using var stream = DataFile.OpenRead(place);
            check(file, stream.Length);
            var content = new byte[stream.Length];
            DataFile.ReadExactly(stream, content, place);
            take(file, content);
        }
    }

    private string Place(string path) => Path.Combine(root, path);
}
