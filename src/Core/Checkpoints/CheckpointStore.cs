using Distributed.Core.Jobs;
using Distributed.Core.Machine;

namespace Distributed.Core.Checkpoints;

/// <summary>A job's checkpoints: a directory for each step, and the file <c>latest</c> that names the one to resume from.</summary>
/// <remarks>One writer at a time, held by a lock file that dies with its process; reading needs no lock. Writers with names of their own
/// do not shut each other out: of those, the one that commits must first prove to its caller's satisfaction that it still may.</remarks>
public sealed class CheckpointStore
{
    internal const string LatestFile = "latest";
    internal const string LockFile = ".lock";
    internal const string TemporaryPrefix = ".tmp-";

    /// <param name="root">Created by the first <see cref="Begin"/>.</param>
    /// <param name="keep">Checkpoints that <see cref="CheckpointWriter.Commit"/> leaves, at least 1.</param>
    /// <param name="writer">Letters and digits; empty where nobody can have superseded this writer.</param>
    public CheckpointStore(string root, int keep = 3, string writer = "")
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        (Root, Keep, Writer) = (Path.GetFullPath(root), keep, writer);
    }

    /// <summary>Name of the writer that uses this object.</summary>
    public string Writer { get; }

    public string Root { get; }

    public int Keep { get; }

    /// <summary>Nothing but what a writer that died may have left behind.</summary>
    public bool IsEmpty => !Directory.Exists(Root)
        || Directory.EnumerateFileSystemEntries(Root).Select(Path.GetFileName)
            .All(name => name!.StartsWith(LockFile, StringComparison.Ordinal)
                || name!.StartsWith(TemporaryPrefix, StringComparison.Ordinal));

    /// <summary>Starts a checkpoint in a temporary directory and clears away those of dead writers.</summary>
    /// <exception cref="JobException"><c>storage</c>: another process writes here, or the file system refuses.</exception>
    public CheckpointWriter Begin(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Storage.Guard(Root, () =>
        {
            Directory.CreateDirectory(Root);
            PathFence.Demand(Root);
            var held = Storage.Lock(LockOf(Writer));
            try
            {
                foreach (var leftover in Directory.EnumerateFileSystemEntries(Root, TemporaryPrefix + "*").Where(IsLeftover).ToArray())
                    Storage.Delete(leftover);
                return new CheckpointWriter(this, step, held);
            }
            catch
            {
                held.Dispose();
                throw;
            }
        });
    }

    /// <summary>What this writer names things that are not finished.</summary>
    internal string OwnTemporaryPrefix => Writer.Length == 0 ? TemporaryPrefix : $"{TemporaryPrefix}{Writer}.";

    private string LockOf(string writer) => Path.Combine(Root, writer.Length == 0 ? LockFile : $"{LockFile}-{writer}");

    /// <summary>Whether its writer is this one or dead.</summary>
    private bool IsLeftover(string path)
    {
        var name = Path.GetFileName(path)[TemporaryPrefix.Length..];
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (Writer.Length == 0 || dot <= 0 || name[..dot] == Writer) return true;
        try
        {
            using (Storage.Lock(LockOf(name[..dot])))
            {
            }

            File.Delete(LockOf(name[..dot]));
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The checkpoint to resume from: the one <c>latest</c> names, otherwise the highest step that is whole.</summary>
    /// <param name="warn">Takes one line for each that is passed over: which file, and what differs.</param>
    /// <param name="ending">Nobody needs the answer any more.</param>
    /// <returns>Null when there is none.</returns>
    public Checkpoint? FindLatest(Action<string> warn, CancellationToken ending = default)
    {
        ArgumentNullException.ThrowIfNull(warn);
        foreach (var step in Candidates(warn))
        {
            var path = PathOf(step);
            var report = CheckpointVerifier.Verify(path, ending);
            if (report.Ok) return new Checkpoint(path, step, report.Manifest!);
            warn($"Checkpoint {path} is damaged and passed over. {report.Faults}.");
        }

        return null;
    }

    /// <summary>Steps that have a directory, whole or not, ascending.</summary>
    public IReadOnlyList<long> Steps()
    {
        if (!Directory.Exists(Root)) return [];
        var steps = new List<long>();
        foreach (var directory in Directory.EnumerateDirectories(Root))
        {
            if (CheckpointName.TryParse(Path.GetFileName(directory), out var step)) steps.Add(step);
        }

        steps.Sort();
        return steps;
    }

    /// <summary>Where the checkpoint of a step lies, or would lie.</summary>
    public string PathOf(long step) => Path.Combine(Root, CheckpointName.Of(step));

    /// <returns>What <c>latest</c> says; null without one or when it names no step.</returns>
    internal long? ReadLatest(Action<string> warn)
    {
        var file = Path.Combine(Root, LatestFile);
        try
        {
            if (!File.Exists(file)) return null;
            using var reader = new StreamReader(RegularFile.OpenRead(file));
            var content = new char[64];
            var name = new string(content, 0, reader.ReadBlock(content)).TrimEnd('\n');
            if (CheckpointName.TryParse(name, out var step)) return step;
            warn($"{file} names no checkpoint and is passed over.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warn($"{file} cannot be read and is passed over ({e.Message}).");
        }

        return null;
    }

    private IEnumerable<long> Candidates(Action<string> warn)
    {
        var latest = ReadLatest(warn);
        if (latest is { } first) yield return first;
        foreach (var step in Steps().Reverse())
        {
            if (step != latest) yield return step;
        }
    }
}
