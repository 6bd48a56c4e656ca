using System.Runtime.InteropServices;

namespace Distributed.Training.Native;

/// <summary>The table through which a loaded library calls functions that it exports itself; read from memory.</summary>
/// <remarks>
/// Such calls go through the table so that a program can bring another implementation of an exported function, as replacements
/// of a BLAS do. Layout: System V gABI and its x86-64 supplement (Elf64_Ehdr, Elf64_Phdr, Elf64_Dyn, Elf64_Sym, Elf64_Rela).
/// </remarks>
internal static unsafe partial class CallTable
{
    private const int TagPltSize = 2, TagSymbols = 6, TagPltRela = 23, SymbolBytes = 24, RelocationBytes = 24, JumpSlot = 7;
    private const uint ReadOnlyAfterLoad = 0x6474e552;
    private const int LinkMap = 2;

    /// <param name="function">Address of an exported function.</param>
    /// <returns>
    /// What holds the address that its own library's calls jump to; null: calls do not go through a table, or not through one that
    /// can be written.
    /// </returns>
    public static nint* Find(nint function)
    {
        Place place;
        Map* map;
        if (Look(function, &place, &map, LinkMap) == 0 || map is null) return null;
        nint size = 0;
        byte* symbols = null, relocations = null;
        for (var entry = map->Dynamic; entry->Tag != 0; entry++)
        {
            if (entry->Tag == TagPltSize) size = entry->Value;
            if (entry->Tag == TagSymbols) symbols = (byte*)entry->Value;
            if (entry->Tag == TagPltRela) relocations = (byte*)entry->Value;
        }
        // The loader has turned these into addresses.
        if ((nint)symbols < map->Base || (nint)relocations < map->Base) return null;
        for (var at = relocations; at < relocations + size; at += RelocationBytes)
        {
            if (*(uint*)(at + 8) != JumpSlot) continue;
            var value = *(nint*)(symbols + ((long)*(uint*)(at + 12) * SymbolBytes) + 8);
            if (value != 0 && map->Base + value == function) return Writable(map->Base, *(nint*)at);
        }
        return null;
    }

    private static nint* Writable(nint start, nint slot)
    {
        var header = (byte*)start;
        var entry = header + *(long*)(header + 32);
        for (var count = *(ushort*)(header + 56); count > 0; count--, entry += *(ushort*)(header + 54))
            if (*(uint*)entry == ReadOnlyAfterLoad && slot >= *(nint*)(entry + 16) && slot < *(nint*)(entry + 16) + *(nint*)(entry + 40))
                return null;
        return (nint*)(start + slot);
    }

    [LibraryImport("libc", EntryPoint = "dladdr1")]
    private static partial int Look(nint address, Place* place, Map** map, int what);

    /// <summary>Dl_info.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Place
    {
        public nint File;
        public nint Base;
        public nint Symbol;
        public nint SymbolAddress;
    }

    /// <summary>The beginning of link_map.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Map
    {
        public nint Base;
        public nint Name;
        public Entry* Dynamic;
    }

    /// <summary>Elf64_Dyn.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public nint Tag;
        public nint Value;
    }
}
