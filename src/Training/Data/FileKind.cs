using System.Text;

namespace Distributed.Training.Data;

/// <summary>Tells by its first bytes what a file is that is not what was expected.</summary>
internal static class FileKind
{
    /// <summary>Bytes that are enough to tell.</summary>
    public const int Needed = 512;

    public const string TarArchive = "a tar archive";

    private const int TarMarkPlace = 257;

    private static readonly (byte[] Start, string Kind)[] Kinds =
    [
        ([.. GzipContent.Magic], "gzip data"),
        ("PK\u0003\u0004"u8.ToArray(), "a zip archive"),
        ("BZh"u8.ToArray(), "a bzip2 file"),
        ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "an xz file"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstd file"),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF], "a 7z archive"),
        ("version https://git-lfs"u8.ToArray(), "a pointer of Git LFS, not the file itself"),
        ([0x80, 0x02], "a Python pickle"),
        ([0x80, 0x04], "a Python pickle"),
        ("%PDF"u8.ToArray(), "a PDF file"),
    ];

    /// <returns>Such as <c>an HTML page</c>; null where the bytes say nothing.</returns>
    public static string? Of(ReadOnlySpan<byte> start)
    {
        if (start.Length == 0) return "empty";
        if (start.Length > TarMarkPlace && start[TarMarkPlace..].StartsWith("ustar"u8)) return TarArchive;
        foreach (var (bytes, kind) in Kinds)
            if (start.StartsWith(bytes)) return kind;
        return IsMarkup(start) ? "an HTML or XML page" : null;
    }

    private static bool IsMarkup(ReadOnlySpan<byte> start)
    {
        var text = Encoding.Latin1.GetString(start).TrimStart('\u00EF', '\u00BB', '\u00BF', ' ', '\t', '\r', '\n');
        return text.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase) || text.StartsWith("<head", StringComparison.OrdinalIgnoreCase);
    }
}
