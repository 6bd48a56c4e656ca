using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;

namespace Distributed.Core.Checkpoints;

/// <summary>A checkpoint in the making: invisible until <see cref="Commit"/>, gone when disposed without one.</summary>
public sealed class CheckpointWriter : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private static readonly string Product =
        typeof(CheckpointWriter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "";

    private readonly CheckpointStore store;
    private readonly FileStream held;
    private readonly string temporary;
    private readonly List<CheckpointFileEntry> files = [];
    private bool committed;

    internal CheckpointWriter(CheckpointStore store, long step, FileStream held)
    {
        (this.store, Step, this.held) = (store, step, held);
        temporary = Path.Combine(store.Root, store.OwnTemporaryPrefix + CheckpointName.Of(step));
        Directory.CreateDirectory(temporary);
    }

    public long Step { get; }

    /// <summary>Writes one file and notes its length and SHA-256 on the way.</summary>
    /// <param name="name">Without a folder; each name once.</param>
    /// <exception cref="JobException"><c>storage</c>.</exception>
    public void WriteFile(string name, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(write);
        if (name != Path.GetFileName(name) || name == CheckpointFiles.Manifest || files.Exists(f => f.Name == name))
            throw new ArgumentException($"\"{name}\" is not a new file name.", nameof(name));
        files.Add(Storage.Guard(temporary, () =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var file = new FileStream(
                Path.Combine(temporary, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes);
            using var counted = new CountingStream(file, hash);
            write(counted);
            file.Flush(flushToDisk: true);
            return new CheckpointFileEntry(name, counted.Position, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }));
    }

    /// <summary>Writes a safetensors file; see <see cref="SafetensorsWriter.Write"/>.</summary>
    public void WriteTensors(
        string name, IReadOnlyList<TensorShape> tensors, IReadOnlyDictionary<string, string>? metadata, Action<int, Stream> write) =>
        WriteFile(name, stream => SafetensorsWriter.Write(stream, tensors, metadata, write));

    /// <summary>Makes the checkpoint visible, moves <c>latest</c> to it and removes what exceeds the store's number.</summary>
    /// <param name="confirm">
    /// Called when all is written and before it becomes visible; throws when this writer may no longer publish.
    /// </param>
    /// <returns>The finished checkpoint, on disk to the last byte.</returns>
    /// <exception cref="JobException"><c>storage</c>.</exception>
    public Checkpoint Commit(Action? confirm = null)
    {
        if (committed) throw new InvalidOperationException("The checkpoint was committed already.");
        var manifest = new CheckpointManifest(Step, Product, files);
        Storage.Guard(store.Root, () =>
        {
            Storage.Replace(temporary, CheckpointFiles.Manifest, store.OwnTemporaryPrefix + "manifest", manifest.Serialize());
            return true;
        });
        confirm?.Invoke();
        Storage.Guard(store.Root, () =>
        {
            Publish();
            if (Directory.Exists(Path.Combine(store.Root, CheckpointStore.LatestFile)))
                Retire(Path.Combine(store.Root, CheckpointStore.LatestFile));
            Storage.Replace(
                store.Root, CheckpointStore.LatestFile, store.OwnTemporaryPrefix + CheckpointStore.LatestFile,
                Encoding.UTF8.GetBytes(CheckpointName.Of(Step) + "\n"));
            Prune();
            return true;
        });
        return new Checkpoint(store.PathOf(Step), Step, manifest);
    }

    public void Dispose()
    {
        try
        {
            if (!committed) Storage.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be removed now is ignored by readers and removed by the next writer.
        }

        held.Dispose();
    }

    private void Publish()
    {
        var path = store.PathOf(Step);
        Retire(path);
        Directory.Move(temporary, path);
        committed = true;
        DirectorySync.Flush(store.Root);
    }

    /// <summary>Later steps go first: a run that writes this step resumed before them, so they were damaged or given up.</summary>
    private void Prune()
    {
        var surplus = store.Steps().Where(s => s != Step).OrderBy(s => s > Step).ThenByDescending(s => s).Skip(store.Keep - 1);
        foreach (var step in surplus) Retire(store.PathOf(step));
    }

    /// <summary>
    /// Renamed before it is deleted, so that no half-deleted checkpoint ever bears a step's name; a file in a folder's place goes too.
    /// </summary>
    private void Retire(string path)
    {
        if (!Path.Exists(path)) return;
        var retired = Path.Combine(store.Root, store.OwnTemporaryPrefix + "old-" + Path.GetFileName(path));
        Directory.Move(path, retired);
        Storage.Delete(retired);
    }
}
