namespace Distributed.Core.DataSets;

/// <summary>The encodings that a job file can name.</summary>
public static class TextEncodings
{
    public const string Utf8 = "utf-8";
    public const string Utf16LittleEndian = "utf-16le";
    public const string Utf16BigEndian = "utf-16be";
    public const string Latin1 = "latin1";
    public const string Windows1252 = "windows-1252";

    public static IReadOnlyList<string> All { get; } = [Utf8, Utf16LittleEndian, Utf16BigEndian, Latin1, Windows1252];
}
