using System.Globalization;

namespace Distributed.Bench.Settings;

/// <summary>Sizes as people write them: <c>4 KiB</c>, <c>1MiB</c>, <c>4096</c>.</summary>
internal static class ByteSize
{
    private const long Kibi = 1024;
    private const long Mebi = 1024 * Kibi;
    private const long Largest = 1024 * Mebi;

    public static string Text(long bytes) => (bytes % Mebi, bytes % Kibi) switch
    {
        (0, _) => $"{bytes / Mebi} MiB",
        (_, 0) => $"{bytes / Kibi} KiB",
        _ => $"{bytes} bytes",
    };

    /// <exception cref="FormatException">No size, or none that can be measured.</exception>
    public static long Parse(string text)
    {
        var word = text.Trim();
        var unit = Ends("KiB") ? Kibi : Ends("MiB") ? Mebi : 1;
        var number = unit == 1 ? word : word[..^3].TrimEnd();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= Largest
            && count * unit is >= sizeof(float) and <= Largest and var bytes && bytes % sizeof(float) == 0
            ? bytes
            : throw new FormatException(
                $"bench: size '{text}', expected whole floats from 4 bytes to 1024MiB, such as 4096, 64KiB or 25MiB.");

        bool Ends(string suffix) => word.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
    }
}
