using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Distributed.Core.Checkpoints;

/// <param name="Name">File name without a folder.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record CheckpointFileEntry(string Name, long Bytes, string Sha256);

/// <summary>
/// What a complete checkpoint consists of. Its JSON ends with a checksum of itself, so that no byte of it goes unwatched.
/// </summary>
/// <param name="Product">Version of the writer.</param>
public sealed record CheckpointManifest(long Step, string Product, IReadOnlyList<CheckpointFileEntry> Files)
{
    /// <summary>Version of the checkpoint's form; another one is refused.</summary>
    public const int FormatVersion = 1;

    internal const int MaxBytes = 1 << 20;

    internal byte[] Serialize()
    {
        var checksum = Convert.ToHexStringLower(SHA256.HashData(Serialize(checksum: null)));
        return Serialize(checksum);
    }

    /// <exception cref="FormatException">What is wrong.</exception>
    internal static CheckpointManifest Parse(ReadOnlyMemory<byte> json)
    {
        CheckpointManifest manifest;
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var version = root.GetProperty("version").GetInt32();
            if (version != FormatVersion) throw new FormatException($"format version {version}, expected {FormatVersion}");
            manifest = new CheckpointManifest(
                root.GetProperty("step").GetInt64(), root.GetProperty("product").GetString() ?? "", ReadFiles(root.GetProperty("files")));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException($"not valid ({e.Message})", e);
        }

        // Writing it again must give the same bytes, the checksum among them.
        if (!json.Span.SequenceEqual(manifest.Serialize())) throw new FormatException("its content differs from its own checksum");
        return manifest;
    }

    private static CheckpointFileEntry[] ReadFiles(JsonElement files) =>
    [
        .. files.EnumerateArray().Select(file =>
        {
            var name = file.GetProperty("name").GetString() ?? "";
            if (name.Length == 0 || name != Path.GetFileName(name) || name is "." or "..")
                throw new FormatException($"\"{name}\" is not a file name");
            return new CheckpointFileEntry(name, file.GetProperty("bytes").GetInt64(), file.GetProperty("sha256").GetString() ?? "");
        }),
    ];

    private byte[] Serialize(string? checksum)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("version", FormatVersion);
            writer.WriteNumber("step", Step);
            writer.WriteString("product", Product);
            writer.WriteStartArray("files");
            foreach (var file in Files)
            {
                writer.WriteStartObject();
                writer.WriteString("name", file.Name);
                writer.WriteNumber("bytes", file.Bytes);
                writer.WriteString("sha256", file.Sha256);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            if (checksum is not null) writer.WriteString("checksum", checksum);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
