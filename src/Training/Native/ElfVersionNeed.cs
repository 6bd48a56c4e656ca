using System.Buffers.Binary;
using System.Text;

namespace Distributed.Training.Native;

/// <summary>
/// Marks a symbol-version requirement of a 64-bit little-endian ELF library as weak, so that the loader accepts a system without it.
/// </summary>
/// <remarks>Layout: System V gABI and the LSB's symbol versioning (Elf64_Verneed, Elf64_Vernaux, VER_FLG_WEAK).</remarks>
internal static class ElfVersionNeed
{
    private const uint SectionTypeVerneed = 0x6ffffffe;
    private const ushort FlagWeak = 2;

    /// <summary>Edits the image in place.</summary>
    /// <returns>Requirements that were marked; 0 when the version is not asked for.</returns>
    /// <exception cref="InvalidDataException">Not a 64-bit little-endian ELF file.</exception>
    public static int MarkWeak(byte[] image, string version)
    {
        if (image.Length < 64 || image[0] != 0x7f || image[1] != 'E' || image[2] != 'L' || image[3] != 'F' || image[4] != 2
            || image[5] != 1)
            throw new InvalidDataException("not a 64-bit little-endian ELF file");
        var sections = (long)ULong(image, 0x28);
        int entrySize = UShort(image, 0x3A), count = UShort(image, 0x3C), marked = 0;
        for (var i = 0; i < count; i++)
        {
            var section = sections + (long)i * entrySize;
            if (UInt(image, section + 4) != SectionTypeVerneed) continue;
            var strings = (long)ULong(image, sections + (long)UInt(image, section + 0x28) * entrySize + 0x18);
            marked += MarkSection(image, (long)ULong(image, section + 0x18), strings, version);
        }
        return marked;
    }

    private static int MarkSection(byte[] image, long need, long strings, string version)
    {
        var marked = 0;
        while (true)
        {
            var aux = need + UInt(image, need + 8);
            for (int left = UShort(image, need + 2); left > 0; left--)
            {
                if (Text(image, strings + UInt(image, aux + 8)) == version)
                {
                    var flags = image.AsSpan((int)aux + 4, 2);
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | FlagWeak));
                    marked++;
                }
                aux += UInt(image, aux + 12);
            }
            var next = UInt(image, need + 12);
            if (next == 0) return marked;
            need += next;
        }
    }

    private static ulong ULong(byte[] image, long at) => BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan((int)at));

    private static uint UInt(byte[] image, long at) => BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan((int)at));

    private static ushort UShort(byte[] image, long at) => BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan((int)at));

    private static string Text(byte[] image, long at)
    {
        var rest = image.AsSpan((int)at);
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}
