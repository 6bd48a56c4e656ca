using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Distributed.Training.Native;

/// <summary>What a shared library for 64-bit x86 says of itself, read from the file without loading it.</summary>
/// <remarks>Layout: System V gABI (Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn, Elf64_Sym, Elf64_Rela) and its x86-64 supplement.</remarks>
internal sealed class ElfFile
{
    private const int TypeLoad = 1, TypeDynamic = 2, TypeNote = 4, NoteBuildId = 3;
    private const int TagNeeded = 1, TagPltSize = 2, TagStrings = 5, TagSymbols = 6, TagRela = 7, TagRelaSize = 8, TagSoName = 14,
        TagPltRela = 23;
    private const int SymbolBytes = 24, RelocationBytes = 24, RelocationJumpSlot = 7, BindingWeak = 2, LongestName = 1 << 16;
    private readonly string path;
    private readonly long length;
    private readonly List<Segment> segments = [];
    private readonly ILookup<long, ulong> dynamic;

    private ElfFile(string path, SafeFileHandle file)
    {
        this.path = path;
        length = RandomAccess.GetLength(file);
        ReadSegments(file);
        dynamic = ReadDynamic(file).ToLookup(entry => entry.Tag, entry => entry.Value);
        Needed = [.. dynamic[TagNeeded].Select(name => Name(file, name))];
        SoName = dynamic.Contains(TagSoName) ? Name(file, dynamic[TagSoName].First()) : null;
        BuildId = ReadBuildId(file);
    }

    /// <summary>The name under which other libraries ask for this one.</summary>
    public string? SoName { get; }

    /// <summary>Names of the libraries that this one asks for.</summary>
    public IReadOnlyList<string> Needed { get; }

    /// <summary>The linker's hash of the file's content in hexadecimal digits; null when it wrote none.</summary>
    public string? BuildId { get; }

    public long Length => length;

    /// <exception cref="InvalidDataException">Not such a library, or not the whole of one; the message says what was found.</exception>
    public static ElfFile Read(string path)
    {
        using var file = File.OpenHandle(path);
        return new ElfFile(path, file);
    }

    /// <summary>The symbols that this library takes from others.</summary>
    /// <exception cref="InvalidDataException">A table does not lie in the file.</exception>
    public IReadOnlyList<ElfImport> ReadImports()
    {
        using var file = File.OpenHandle(path);
        var symbols = (long)dynamic[TagSymbols].FirstOrDefault();
        Dictionary<uint, ElfImport> imports = [];
        foreach (var (table, size) in (ReadOnlySpan<(int, int)>)[(TagRela, TagRelaSize), (TagPltRela, TagPltSize)])
        {
            if (!dynamic.Contains(table)) continue;
            var relocations = Bytes(file, FileOffset((long)dynamic[table].First()), (long)dynamic[size].FirstOrDefault());
            for (var at = 0; at + RelocationBytes <= relocations.Length; at += RelocationBytes)
            {
                var kind = BinaryPrimitives.ReadUInt32LittleEndian(relocations.AsSpan(at + 8));
                var index = BinaryPrimitives.ReadUInt32LittleEndian(relocations.AsSpan(at + 12));
                if (index == 0) continue;
                var isLazy = kind == RelocationJumpSlot;
                var slot = isLazy ? BinaryPrimitives.ReadInt64LittleEndian(relocations.AsSpan(at)) : 0;
                if (imports.TryGetValue(index, out var known))
                    imports[index] = known with { IsEager = known.IsEager || !isLazy, Slot = known.Slot | slot };
                else if (Import(file, symbols + (long)index * SymbolBytes) is { } name) imports[index] = new ElfImport(name, !isLazy, slot);
            }
        }
        return [.. imports.Values];
    }

    /// <returns>The symbol's name; null when this library defines it, or can do without it.</returns>
    private string? Import(SafeFileHandle file, long address)
    {
        var symbol = Bytes(file, FileOffset(address), SymbolBytes);
        var section = BinaryPrimitives.ReadUInt16LittleEndian(symbol.AsSpan(6));
        return section == 0 && symbol[4] >> 4 != BindingWeak ? Name(file, BinaryPrimitives.ReadUInt32LittleEndian(symbol)) : null;
    }

    private void ReadSegments(SafeFileHandle file)
    {
        if (length < 64) throw Wrong($"has {length} bytes");
        var header = Bytes(file, 0, 64);
        if (!header.AsSpan(0, 4).SequenceEqual("\u007fELF"u8)) throw Wrong("does not begin like one");
        if (header[4] != 2 || header[5] != 1 || UShort(header, 16) != 3 || UShort(header, 18) != 62)
            throw Wrong($"is an ELF file of type {UShort(header, 16)} for machine {UShort(header, 18)}");
        int size = UShort(header, 54), count = UShort(header, 56);
        if (size < 56) throw Wrong("has a damaged header");
        var table = Bytes(file, Long(header, 32), (long)size * count);
        for (var i = 0; i < count; i++)
        {
            var entry = table.AsSpan(i * size, 56).ToArray();
            Segment segment = new((int)BinaryPrimitives.ReadUInt32LittleEndian(entry), Long(entry, 8), Long(entry, 16), Long(entry, 32));
            segments.Add(segment);
            if (segment.Type == TypeLoad) RequireWithin(segment.Offset, segment.Size);
        }
        // The table of sections comes last in most files, so that it shows a cut that the loader would not notice.
        if (Long(header, 40) != 0) RequireWithin(Long(header, 40), (long)UShort(header, 58) * UShort(header, 60));
    }

    private List<(long Tag, ulong Value)> ReadDynamic(SafeFileHandle file)
    {
        if (segments.Find(segment => segment.Type == TypeDynamic) is not { } segment) throw Wrong("has no dynamic section");
        var bytes = Bytes(file, segment.Offset, segment.Size);
        List<(long, ulong)> entries = [];
        for (var at = 0; at + 16 <= bytes.Length && Long(bytes, at) != 0; at += 16)
            entries.Add((Long(bytes, at), (ulong)Long(bytes, at + 8)));
        return entries;
    }

    private string? ReadBuildId(SafeFileHandle file)
    {
        foreach (var segment in segments.Where(segment => segment.Type == TypeNote))
        {
            var notes = Bytes(file, segment.Offset, segment.Size);
            for (var at = 0L; at + 12 <= notes.Length;)
            {
                long name = BinaryPrimitives.ReadUInt32LittleEndian(notes.AsSpan((int)at)),
                    content = BinaryPrimitives.ReadUInt32LittleEndian(notes.AsSpan((int)at + 4));
                var start = at + 12 + Aligned(name);
                if (start + content > notes.Length) break;
                if (BinaryPrimitives.ReadUInt32LittleEndian(notes.AsSpan((int)at + 8)) == NoteBuildId && name == 4
                    && notes.AsSpan((int)at + 12, 3).SequenceEqual("GNU"u8))
                    return Convert.ToHexStringLower(notes, (int)start, (int)content);
                at = start + Aligned(content);
            }
        }
        return null;

        static long Aligned(long bytes) => (bytes + 3) & ~3L;
    }

    /// <summary>A text of the table of names.</summary>
    private string Name(SafeFileHandle file, ulong index)
    {
        var offset = FileOffset((long)dynamic[TagStrings].FirstOrDefault()) + (long)index;
        RequireWithin(offset, 1);
        var buffer = new byte[256];
        while (true)
        {
            var read = RandomAccess.Read(file, buffer, offset);
            var end = buffer.AsSpan(0, read).IndexOf((byte)0);
            if (end >= 0) return Encoding.UTF8.GetString(buffer, 0, end);
            if (read < buffer.Length || buffer.Length >= LongestName) throw Wrong("has a name without an end");
            buffer = new byte[buffer.Length * 4];
        }
    }

    private long FileOffset(long address) => segments.Find(
        segment => segment.Type == TypeLoad && address >= segment.Address && address < segment.Address + segment.Size) is { } segment
        ? address - segment.Address + segment.Offset
        : throw Wrong($"has no content for its address {address:x}");

    private byte[] Bytes(SafeFileHandle file, long offset, long count)
    {
        RequireWithin(offset, count);
        if (count > 1 << 28) throw Wrong($"has a table of {count} bytes");
        var bytes = new byte[count];
        return RandomAccess.Read(file, bytes, offset) == count ? bytes : throw Wrong("changes while it is read");
    }

    private void RequireWithin(long offset, long count)
    {
        if (offset < 0 || count < 0 || offset > length - count)
            throw Wrong($"is cut short: it has {length} bytes and says that it has at least {unchecked((ulong)offset + (ulong)count)}");
    }

    private InvalidDataException Wrong(string what) => new($"{path} {what}, expected a shared library for Linux on x64");

    private static ushort UShort(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static long Long(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));

    /// <param name="Offset">Where the content begins in the file.</param>
    /// <param name="Address">Where it begins in memory, from the library's start.</param>
    /// <param name="Size">Bytes of content.</param>
    private sealed record Segment(int Type, long Offset, long Address, long Size);
}

/// <summary>A symbol that a library takes from others.</summary>
/// <param name="IsEager">Looked up when the library is loaded; otherwise at the first call.</param>
/// <param name="Slot">Where the address that calls jump to is kept, from the library's start; 0 when there is none.</param>
internal readonly record struct ElfImport(string Name, bool IsEager, long Slot);
