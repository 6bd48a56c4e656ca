using System.Buffers.Binary;
using Distributed.Core.Jobs;
using Distributed.Core.Machine;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Core.Checkpoints;

/// <summary>A safetensors file open for reading; its header is checked before anything is allocated for the data.</summary>
/// <remarks>Reads are positional: several threads may share one instance.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly long dataStart;
    private readonly string errorCode;
    private readonly Dictionary<string, TensorEntry> byName;

    private SafetensorsFile(string path, SafeFileHandle handle, string errorCode)
    {
        (Path, this.handle, this.errorCode) = (path, handle, errorCode);
        var length = RandomAccess.GetLength(handle);
        var prefix = (stackalloc byte[8]);
        if (length < 8) throw Damaged($"{length} bytes, expected at least 8");
        ReadFully(prefix, 0, "header");
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerBytes > SafetensorsHeader.MaxBytes || (long)headerBytes > length - 8)
            throw Foreign(prefix) is { } other
                ? new JobException(errorCode, $"{path} is {other}.")
                : Damaged(
                    $"its header claims {headerBytes} bytes, the file holds {length} and a header at most {SafetensorsHeader.MaxBytes}");

        var json = new byte[(int)headerBytes];
        ReadFully(json, 8, "header");
        dataStart = 8 + json.Length;
        try
        {
            (var tensors, var metadata) = SafetensorsHeader.Parse(json, length - dataStart);
            (Tensors, Metadata) = (tensors, metadata);
        }
        catch (NotSupportedException e)
        {
            throw new JobException(errorCode, $"{Path}: {e.Message}. Write the file without that tensor, or with another dtype.", e);
        }
        catch (FormatException e)
        {
            throw Damaged(e.Message, e);
        }

        byName = Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    public string Path { get; }

    /// <summary>All tensors by their place in the file.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The file's own free text.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <param name="errorCode">Code of the exception when the content is wrong.</param>
    /// <exception cref="JobException"><c>path-missing</c>, or <paramref name="errorCode"/> naming file, tensor and fault.</exception>
    public static SafetensorsFile Open(string path, string errorCode = ErrorCodes.CheckpointInvalid)
    {
        SafeFileHandle? handle = null;
        try
        {
            handle = RegularFile.Open(path);
            return new SafetensorsFile(path, handle, errorCode);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new JobException(ErrorCodes.PathMissing, $"{path}: no such file; expected a safetensors file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            handle?.Dispose();
            throw new JobException(errorCode, $"{path}: cannot be read ({e.Message}).", e);
        }
        catch (JobException)
        {
            handle?.Dispose();
            throw;
        }
    }

    /// <returns>Null when there is no such tensor.</returns>
    public TensorEntry? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>Reads a whole tensor.</summary>
    /// <param name="destination">Exactly as long as the tensor.</param>
    /// <exception cref="JobException">No such tensor, another length, or the file cannot be read.</exception>
    public void Read(string name, Span<byte> destination)
    {
        var entry = Find(name) ?? throw Damaged($"holds no tensor \"{name}\"; it has {NamesForMessage()}");
        if (destination.Length != entry.Bytes) throw Damaged($"tensor \"{name}\" has {entry.Bytes} bytes, expected {destination.Length}");
        Read(entry, 0, destination);
    }

    /// <summary>Reads a part of a tensor.</summary>
    /// <param name="offset">Byte offset within the tensor.</param>
    public void Read(TensorEntry entry, long offset, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, entry.Bytes - destination.Length);
        ReadFully(destination, dataStart + entry.Offset + offset, $"tensor \"{entry.Name}\"");
    }

    public void Dispose() => handle.Dispose();

    /// <summary>Names what people take for safetensors files, by its first bytes, once they are no length that a header can have.</summary>
    private static string? Foreign(ReadOnlySpan<byte> start) => start switch
    {
        [(byte)'P', (byte)'K', 3, 4, ..] =>
            "a zip archive, such as torch.save and numpy.savez write, not a safetensors file; write one with safetensors.torch.save_file",
        [0x80, >= 2 and <= 5, ..] => "a pickle, as torch.save writes, not a safetensors file; write one with safetensors.torch.save_file",
        [(byte)'G', (byte)'G', (byte)'U', (byte)'F', ..] => "a GGUF file, not a safetensors file",
        [0x89, (byte)'H', (byte)'D', (byte)'F', ..] => "an HDF5 file, not a safetensors file",
        [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', ..] => "a NumPy array, not a safetensors file",
        [(byte)'{', ..] =>
            "a JSON text, not a safetensors file; if it is the index of a model in several files, name the one file that holds the tensors",
        [(byte)'v', (byte)'e', (byte)'r', (byte)'s', (byte)'i', (byte)'o', (byte)'n', (byte)' ', ..] =>
            "the Git LFS pointer of a file that was not downloaded; 'git lfs pull' fetches it",
        _ => null,
    };

    private void ReadFully(Span<byte> destination, long position, string what)
    {
        while (destination.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(handle, destination, position);
            }
            catch (IOException e)
            {
                throw Damaged($"{what} cannot be read at byte {position}: {e.Message}", e);
            }

            if (read == 0) throw Damaged($"{what}: the file ends at byte {position}, {destination.Length} bytes short");
            destination = destination[read..];
            position += read;
        }
    }

    private string NamesForMessage()
    {
        const int Shown = 12;
        var names = string.Join(", ", Tensors.Take(Shown).Select(t => t.Name));
        return Tensors.Count > Shown ? $"{names}, ... ({Tensors.Count} in all)" : names.Length > 0 ? names : "none";
    }

    private JobException Damaged(string what, Exception? inner = null) =>
        new(errorCode, $"{Path}: {what}. The file is damaged or not a safetensors file.", inner);
}
