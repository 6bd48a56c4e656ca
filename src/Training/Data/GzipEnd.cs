using System.Buffers.Binary;

namespace Distributed.Training.Data;

/// <summary>Tells a whole gzip file from one without its last bytes, which a decompressor does not miss.</summary>
internal static class GzipEnd
{
    /// <summary>Compares the trailer's last field, the length before compression, once all data have been read.</summary>
    /// <param name="length">Bytes that were decompressed.</param>
    /// <exception cref="Core.JobException">It gives another length.</exception>
    public static void Check(FileStream raw, long length, string file)
    {
        Span<byte> last = stackalloc byte[4];
        RandomAccess.Read(raw.SafeFileHandle, last, raw.Length - last.Length);
        var found = BinaryPrimitives.ReadUInt32LittleEndian(last);
        if (found != (uint)length) throw DataFile.Invalid(file, $"gzip trailer gives {found} bytes, expected {(uint)length}: cut short?", "download it again");
    }
}
