using System.Security.Cryptography;
using System.Text;
using Distributed.Core.Checkpoints;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;

namespace Distributed.Silo.Cluster.Files;

/// <summary>
/// Records in files, one per record, shared by all silos of a cluster. A record changes only where its ETag is the expected one:
/// comparing and replacing happen under a lock of the system, which ends with the process that holds it.
/// </summary>
/// <param name="root">Folder of the records; made when it is missing.</param>
internal sealed class StateFiles(string root, TimeProvider time)
{
    private const string Magic = "dtrain-state 1";

    /// <summary>The lock is held for the time of one rename, and longer only by a process that is frozen just then.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(10);

    /// <summary>What the system answers when a lock is taken.</summary>
    private const int WouldBlock = 11;

    /// <summary>No write takes so long: its writer is gone.</summary>
    private static readonly TimeSpan OldestTemporary = TimeSpan.FromHours(1);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(5);

    /// <summary>Where a cluster's records are under the folder of its jobs.</summary>
    public static string Root(string jobsRoot, string clusterId) => Path.Combine(jobsRoot, ".state", StateFileName.Of(clusterId));

    /// <summary>Makes the folder, tries what the records need of the file system and removes what killed writers left.</summary>
    /// <exception cref="JobException">Code <c>storage</c>: no right to write, no space, or locks that hold nobody off.</exception>
    public void Prepare() => Guard(root, folder =>
    {
        Directory.CreateDirectory(folder);
        var trial = Path.Combine(folder, $"trial-{Guid.NewGuid():N}.tmp");
        Flush(trial, "trial", []);
        try
        {
            if (!LocksHold(trial))
                throw new IOException("the file system does not lock files, so two silos could write one record; "
                    + "mount it with locks (NFS: without nolock), or set DTRAIN_STORAGE to redis or postgres.");
        }
        finally
        {
            File.Delete(trial);
        }

        foreach (var left in Directory.EnumerateFiles(folder, "*.tmp", SearchOption.AllDirectories))
            if (time.GetUtcNow() - File.GetLastWriteTimeUtc(left) > OldestTemporary) File.Delete(left);
        return folder;
    });

    /// <returns>Null when there is no such record.</returns>
    /// <exception cref="JobException">Code <c>storage</c>: it cannot be read, or is damaged.</exception>
    public StateRecord? Read(string collection, string key) => Guard(PathOf(collection, key), Load);

    /// <summary>Writes a record if the stored one has the expected ETag.</summary>
    /// <param name="expected">Null: there must be none.</param>
    /// <returns>The new ETag; or, when nothing was written, null and the stored one.</returns>
    /// <exception cref="JobException">Code <c>storage</c>: full disk, missing rights; the old record stands.</exception>
    public (string? ETag, string? Found) Write(string collection, string key, string? expected, ReadOnlyMemory<byte> content) =>
        Guard<(string?, string?)>(PathOf(collection, key), path =>
        {
            var etag = Guid.NewGuid().ToString("N");
            var temporary = $"{path}.{etag}.tmp";
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            try
            {
                // Written before the lock is taken, so that slow disks keep nobody waiting.
                Flush(temporary, etag, content.Span);
                var found = WithLock(path, () =>
                {
                    var stored = Load(path)?.ETag;
                    if (stored == expected) File.Move(temporary, path, overwrite: true);
                    return stored;
                });
                if (found != expected) return (null, found);
                DirectorySync.Flush(Path.GetDirectoryName(path)!);
                return (etag, found);
            }
            finally
            {
                File.Delete(temporary);
            }
        });

    /// <summary>Removes a record if it has the expected ETag; the lock's empty file stays.</summary>
    /// <returns>The ETag that stood there.</returns>
    public string? Remove(string collection, string key, string? expected) => Guard(PathOf(collection, key), path =>
    {
        if (!Directory.Exists(Path.GetDirectoryName(path))) return null;
        return WithLock(path, () =>
        {
            var stored = Load(path)?.ETag;
            if (stored is null || stored != expected) return stored;
            File.Delete(path);
            DirectorySync.Flush(Path.GetDirectoryName(path)!);
            return stored;
        });
    });

    private string PathOf(string collection, string key) => Path.Combine(root, StateFileName.Of(collection), StateFileName.Of(key));

    private static void Flush(string path, string etag, ReadOnlySpan<byte> content)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        stream.Write(Encoding.ASCII.GetBytes($"{Magic} {etag} {Convert.ToHexStringLower(SHA256.HashData(content))}\n"));
        stream.Write(content);
        stream.Flush(flushToDisk: true);
    }

    private static StateRecord? Load(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        var end = Array.IndexOf(bytes, (byte)'\n');
        var header = Encoding.ASCII.GetString(bytes, 0, Math.Max(0, end)).Split(' ');
        var content = bytes.AsMemory(end + 1);
        if (header.Length != 4 || $"{header[0]} {header[1]}" != Magic
            || header[3] != Convert.ToHexStringLower(SHA256.HashData(content.Span)))
            throw new JobException(
                ErrorCodes.Storage,
                $"The job state in {path} is damaged: it is not as it was written. Restore the file from a copy, "
                + "or remove it to forget the job.");
        return new StateRecord(header[2], content);
    }

    private T WithLock<T>(string path, Func<T> work)
    {
        using var held = Take($"{path}.lock");
        return work();
    }

    private FileStream Take(string file)
    {
        for (var begin = time.GetTimestamp(); ;)
        {
            try
            {
                return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult == WouldBlock)
            {
                if (time.GetElapsedTime(begin) > LockPatience)
                    throw new IOException(
                        $"{file} has been held by another process for {LockPatience.TotalSeconds} s; a silo that is frozen holds it: "
                        + "end that process (fuser names it).", e);
                using var pause = new ManualResetEventSlim();
                pause.Wait(LookAgain);
            }
        }
    }

    private static bool LocksHold(string file)
    {
        using var held = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        try
        {
            new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            return false;
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return true;
        }
    }

    /// <summary>What the system answers when there is no room.</summary>
    private const int NoSpace = 28, OverQuota = 122;

    private static T Guard<T>(string path, Func<string, T> work)
    {
        try
        {
            return work(path);
        }
        catch (IOException e) when (e.HResult is NoSpace or OverQuota)
        {
            throw new JobException(
                ErrorCodes.Storage,
                $"The disk is full at {Path.GetDirectoryName(path)}, where job state is kept: free space there, then try again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JobException(
                ErrorCodes.Storage,
                $"The job state in {path} could not be read or written: {e.Message} Check free space, rights and the mount.", e);
        }
    }
}

/// <param name="ETag">Never the same twice.</param>
internal sealed record StateRecord(string ETag, ReadOnlyMemory<byte> Content);
