namespace Distributed.Silo.Cluster.Roots;

/// <summary>
/// The marks in a jobs root: for each silo that uses it a file that it writes again and again, and one that it keeps locked.
/// </summary>
/// <remarks>
/// The system gives a lock up with its process, which tells at once of a silo that was killed; but only on the machine that holds it, and a
/// frozen process keeps it. So a mark also counts as left when it has not changed for a while.
/// </remarks>
internal sealed class RootFolder(string jobsRoot)
{
    private const string MarkExtension = ".mark";
    private const string LockExtension = ".lock";

    /// <summary>Job ids do not begin with a dot.</summary>
    private readonly string folder = Path.Combine(jobsRoot, ".silos");

    public string JobsRoot => jobsRoot;

    /// <returns>Held until it is disposed of; null where the file system locks nobody out.</returns>
    public FileStream? Lock(string id)
    {
        Directory.CreateDirectory(folder);
        var held = new FileStream(PathOf(id, LockExtension), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        if (!IsFree(id)) return held;
        held.Dispose();
        return null;
    }

    public void Create(RootMark mark) => File.WriteAllBytes(PathOf(mark.Id, MarkExtension), mark.Write(0));

    /// <returns>False when the mark was taken away.</returns>
    public bool Beat(RootMark mark, long beat)
    {
        try
        {
            using var file = new FileStream(
                PathOf(mark.Id, MarkExtension), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            file.Write(mark.Write(beat));
            return true;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>All marks there are, and the number each bears now.</summary>
    public IReadOnlyList<(RootMark Mark, long Beat)> Read()
    {
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateFiles(folder, $"*{MarkExtension}").Select(Load).OfType<(RootMark, long)>()];
    }

    /// <summary>Whether the process that locked it is known to have ended; false where that cannot be told.</summary>
    public bool HasEnded(RootMark mark) => mark.Kernel.Length > 0 && mark.Kernel == ThisMachine.Kernel && IsFree(mark.Id);

    /// <summary>When the mark last changed, by the clock of the file system.</summary>
    public DateTimeOffset ChangedAt(string id) => File.GetLastWriteTimeUtc(PathOf(id, MarkExtension));

    /// <summary>Takes a mark away so that of several who try one does it.</summary>
    public bool TryTake(string id, string by)
    {
        var taken = PathOf(id, $"{MarkExtension}-{by}");
        try
        {
            File.Move(PathOf(id, MarkExtension), taken);
        }
        catch (FileNotFoundException)
        {
            return false;
        }

        File.Delete(taken);
        File.Delete(PathOf(id, LockExtension));
        return true;
    }

    public void Remove(string id)
    {
        File.Delete(PathOf(id, MarkExtension));
        File.Delete(PathOf(id, LockExtension));
    }

    private bool IsFree(string id)
    {
        try
        {
            if (!File.Exists(PathOf(id, LockExtension))) return true;
            new FileStream(PathOf(id, LockExtension), FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (RootMark, long)? Load(string path)
    {
        try
        {
            return RootMark.Parse(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string PathOf(string id, string extension) => Path.Combine(folder, id + extension);
}
