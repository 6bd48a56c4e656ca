namespace Distributed.Core.Checkpoints;

/// <summary>Writes safetensors without holding a copy of the data.</summary>
public static class SafetensorsWriter
{
    /// <param name="tensors">In the order in which they are laid down.</param>
    /// <param name="metadata">Free text; null or empty: none.</param>
    /// <param name="write">
    /// Called once for each tensor, by its index, with the stream that takes its bytes (row-major, little-endian).
    /// </param>
    /// <exception cref="ArgumentException">A name that is used twice or reserved.</exception>
    /// <exception cref="InvalidOperationException">A callback wrote more or fewer bytes than its tensor has.</exception>
    public static void Write(
        Stream stream, IReadOnlyList<TensorShape> tensors, IReadOnlyDictionary<string, string>? metadata, Action<int, Stream> write)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(write);
        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsHeader.MetadataKey };
        foreach (var tensor in tensors)
        {
            if (!names.Add(tensor.Name))
                throw new ArgumentException($"Tensor name \"{tensor.Name}\" is used twice or reserved.", nameof(tensors));
        }

        stream.Write(SafetensorsHeader.Serialize(tensors, metadata));
        var counted = new CountingStream(stream);
        for (var i = 0; i < tensors.Count; i++)
        {
            var before = counted.Position;
            write(i, counted);
            if (counted.Position - before != tensors[i].Bytes)
                throw new InvalidOperationException(
                    $"Tensor \"{tensors[i].Name}\": {counted.Position - before} bytes written, expected {tensors[i].Bytes}.");
        }
    }
}
