using Distributed.Core.Jobs;
using Distributed.Core.Machine;

namespace Distributed.Core.Checkpoints;

/// <summary>File system calls whose failures reach the job's owner in words.</summary>
internal static class Storage
{
    /// <summary>Runs file system work; its failure becomes a <see cref="JobException"/> with code <c>storage</c>.</summary>
    public static T Guard<T>(string path, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobException(
                ErrorCodes.Storage, $"Writing a checkpoint under {path} failed: {e.Message} Check free space, rights and the mount.", e);
        }
    }

    /// <summary>Takes the writer's lock; the system gives it back when the process ends, however it ends.</summary>
    public static FileStream Lock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(file))
        {
            throw new IOException(
                $"{file} is held by another process that writes checkpoints to the same directory; give each job its own.", e);
        }
    }

    /// <summary>Removes a file or a whole directory; a link is removed, not followed.</summary>
    public static void Delete(string path)
    {
        if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null) Directory.Delete(path, recursive: true);
        else File.Delete(path);
    }

    /// <summary>Puts content under a name so that readers see the old content or the new one, never a part.</summary>
    public static void Replace(string directory, string name, string temporary, ReadOnlySpan<byte> content)
    {
        var path = Path.Combine(directory, temporary);
        using (var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        File.Move(path, Path.Combine(directory, name), overwrite: true);
        DirectorySync.Flush(directory);
    }
}
