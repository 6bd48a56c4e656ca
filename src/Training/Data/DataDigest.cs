using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Distributed.Training.Data;

/// <summary>One SHA-256 of all that a job reads: of each part's name in the set, length and bytes, in ordinal order of the names.</summary>
/// <remarks>
/// A part's bytes are those of the file, decompressed: an archive, a folder and a gzipped file of the same samples have one digest.
/// </remarks>
internal sealed class DataDigest
{
    private readonly SortedDictionary<string, byte[]> parts = new(StringComparer.Ordinal);

    /// <param name="part">Its name in the set, wherever the set lies.</param>
    public void Add(string part, ReadOnlySpan<byte> bytes) => Add(part, bytes.Length, SHA256.HashData(bytes));

    /// <param name="sha256">Of the part's bytes.</param>
    public void Add(string part, long length, byte[] sha256)
    {
        var entry = new byte[sizeof(long) + sha256.Length];
        BinaryPrimitives.WriteInt64LittleEndian(entry, length);
        sha256.CopyTo(entry, sizeof(long));
        parts[part] = entry;
    }

    /// <returns>64 lower-case digits.</returns>
    public string Compute()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (part, entry) in parts)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part + "\0"));
            hash.AppendData(entry);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
