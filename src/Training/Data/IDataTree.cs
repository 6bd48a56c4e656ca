namespace Distributed.Training.Data;

/// <summary>Files and folders of a data set, as a folder or inside an archive: the same files give the same samples either way.</summary>
/// <remarks>Paths are relative to the tree, with '/'; the tree itself is the empty path. Links are followed.</remarks>
internal interface IDataTree
{
    bool IsFolder(string path);

    /// <summary>Names of all that lies in a folder, in ordinal order; none if there is no such folder.</summary>
    IReadOnlyList<string> Names(string folder);

    /// <summary>A path as messages name it.</summary>
    string Describe(string path);

    /// <summary>Reads files whole, each once, in an order of the tree's own.</summary>
    /// <param name="check">Called with path and length before memory is taken for the content.</param>
    /// <param name="take">Called with path and content.</param>
    /// <exception cref="Core.Jobs.JobException">A file is missing, is a folder, or cannot be read; names it.</exception>
    void Read(IReadOnlyCollection<string> files, Action<string, long> check, Action<string, byte[]> take);
}
