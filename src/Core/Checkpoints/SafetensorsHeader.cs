using System.Buffers.Binary;
using System.Text.Json;
using Distributed.Core.Values;

namespace Distributed.Core.Checkpoints;

/// <summary>The header of a safetensors file: 8 bytes of length, then JSON that places every tensor.</summary>
/// <remarks>Rule: the safetensors format description. Offsets must tile the data section without gap or overlap.</remarks>
internal static class SafetensorsHeader
{
    /// <summary>The format's own bound on the JSON part.</summary>
    public const long MaxBytes = 100_000_000;

    public const string MetadataKey = "__metadata__";

    /// <summary>Checks and reads the JSON part.</summary>
    /// <param name="dataBytes">Length of the data section.</param>
    /// <returns>The tensors by offset, and the free text that came along.</returns>
    /// <exception cref="FormatException">What is wrong and in which tensor.</exception>
    /// <exception cref="NotSupportedException">A dtype that this version does not know; the file may be whole.</exception>
    public static (TensorEntry[] Tensors, Dictionary<string, string> Metadata) Parse(ReadOnlyMemory<byte> json, long dataBytes)
    {
        try
        {
            var options = new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false };
            using var document = JsonDocument.Parse(json, options);
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            var tensors = new List<TensorEntry>();
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new FormatException("the header is not a JSON object");
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.NameEquals(MetadataKey)) ReadMetadata(property.Value, metadata);
                else tensors.Add(ReadEntry(property.Name, property.Value));
            }

            var ordered = tensors.OrderBy(t => t.Offset).ThenBy(t => t.Bytes).ToArray();
            CheckTiling(ordered, dataBytes);
            return (ordered, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"the header is not valid JSON ({e.Message})", e);
        }
    }

    /// <returns>Length field and JSON, padded with spaces so that the data section starts at a multiple of 8.</returns>
    public static byte[] Serialize(IReadOnlyList<TensorShape> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                writer.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
                writer.WriteEndObject();
            }

            var offset = 0L;
            foreach (var tensor in tensors) WriteEntry(writer, tensor, ref offset);
            writer.WriteEndObject();
        }

        while (buffer.Length % 8 != 0) buffer.WriteByte((byte)' ');
        var bytes = buffer.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    private static void WriteEntry(Utf8JsonWriter writer, TensorShape tensor, ref long offset)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Dtype.Word());
        writer.WriteStartArray("shape");
        foreach (var size in tensor.Shape) writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(offset);
        writer.WriteNumberValue(offset += tensor.Bytes);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata)
    {
        if (value.ValueKind != JsonValueKind.Object) throw new FormatException($"{MetadataKey} is not a JSON object");
        foreach (var property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
                throw new FormatException($"{MetadataKey}: \"{property.Name}\" is not a text");
            metadata.Add(property.Name, property.Value.GetString()!);
        }
    }

    private static TensorEntry ReadEntry(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) throw new FormatException($"tensor \"{name}\" is not described by a JSON object");
        if (!value.TryGetProperty("dtype", out var dtypeWord) || dtypeWord.ValueKind != JsonValueKind.String)
            throw new FormatException($"tensor \"{name}\": dtype is missing or not a text");
        var shape = ReadNumbers(name, value, "shape");
        if (!TensorDtypes.TryParse(dtypeWord.GetString(), out var dtype))
            throw new NotSupportedException($"tensor \"{name}\" [{string.Join(", ", shape)}] has dtype "
                + $"\"{Shorten(dtypeWord.GetString()!)}\", expected one of {string.Join(", ", TensorDtypes.Words)}");
        var offsets = ReadNumbers(name, value, "data_offsets");
        if (offsets.Length != 2 || offsets[1] < offsets[0])
            throw new FormatException($"tensor \"{name}\": data_offsets must be [begin, end] with begin <= end");

        var entry = new TensorEntry(name, dtype, new EquatableList<long>(shape), offsets[0], offsets[1] - offsets[0]);
        var expected = BytesOf(name, shape, dtype);
        return entry.Bytes == expected
            ? entry
            : throw new FormatException(
                $"tensor \"{name}\": data_offsets span {entry.Bytes} bytes, {dtype.Word()} {entry.Shape} needs {expected}");
    }

    private static long[] ReadNumbers(string name, JsonElement value, string key)
    {
        if (!value.TryGetProperty(key, out var list) || list.ValueKind != JsonValueKind.Array)
            throw new FormatException($"tensor \"{name}\": {key} is missing or not a list");
        return [.. list.EnumerateArray().Select(item =>
            item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var number) && number >= 0
                ? number
                : throw new FormatException(
                    $"tensor \"{name}\": {key} holds {item.GetRawText()}, expected whole numbers from 0 to 2^63 - 1"))];
    }

    private static long BytesOf(string name, long[] shape, TensorDtype dtype)
    {
        try
        {
            return shape.Contains(0) ? 0 : new TensorShape(name, dtype, new EquatableList<long>(shape)).Bytes;
        }
        catch (InvalidOperationException e)
        {
            throw new FormatException($"tensor \"{name}\", {dtype.Word()} [{string.Join(", ", shape)}]: {e.Message}", e);
        }
        catch (OverflowException e)
        {
            throw new FormatException($"tensor \"{name}\": the product of shape [{string.Join(", ", shape)}] is too large", e);
        }
    }

    private static string Shorten(string text) => text.Length <= 24 ? text : text[..21] + "...";

    private static void CheckTiling(TensorEntry[] ordered, long dataBytes)
    {
        var position = 0L;
        foreach (var tensor in ordered)
        {
            if (tensor.Offset != position)
                throw new FormatException(
                    $"tensor \"{tensor.Name}\" begins at data offset {tensor.Offset}, expected {position} (gap or overlap)");
            if (tensor.Bytes > dataBytes - position)
                throw new FormatException(
                    $"tensor \"{tensor.Name}\" ends at data offset {(ulong)position + (ulong)tensor.Bytes}, "
                    + $"the file holds {dataBytes} data bytes (cut short?)");
            position += tensor.Bytes;
        }

        if (position != dataBytes)
            throw new FormatException($"the tensors end at data offset {position}, the file holds {dataBytes} data bytes");
    }
}
