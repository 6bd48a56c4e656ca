using System.Globalization;

namespace Distributed.Core.Values;

/// <summary>Amounts of memory as people write and read them: <c>8GiB</c>, <c>512 MiB</c>, <c>1073741824</c>.</summary>
public static class MemorySize
{
    /// <summary>For messages about a wrong one.</summary>
    public const string Expected = "an amount such as 8GiB or 512MiB";

    private static readonly string[] Units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Three digits at most and the largest unit that leaves one before the point.</summary>
    public static string Text(double bytes)
    {
        var unit = 0;
        for (; bytes >= 1024 && unit < Units.Length - 1; unit++) bytes /= 1024;
        return string.Create(
            CultureInfo.InvariantCulture, $"{(bytes >= 100 || unit == 0 ? Math.Round(bytes) : Math.Round(bytes, 1)):0.#} {Units[unit]}");
    }

    /// <summary>The largest unit that leaves a whole number, for <see cref="Parse"/> to read back.</summary>
    public static string Exact(long bytes)
    {
        var unit = 0;
        for (; bytes % 1024 == 0 && bytes > 0 && unit < Units.Length - 1; unit++) bytes /= 1024;
        return string.Create(CultureInfo.InvariantCulture, $"{bytes}{(unit == 0 ? "" : Units[unit])}");
    }

    /// <returns>Bytes; null: no such amount, or none of 1 byte to 1,024 TiB.</returns>
    public static long? Parse(string text)
    {
        var word = text.Trim();
        var unit = Array.FindIndex(Units, u => word.EndsWith(u, StringComparison.OrdinalIgnoreCase));
        var number = unit < 0 ? word : word[..^Units[unit].Length].TrimEnd();
        var bytes = double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            ? count * Math.Pow(1024, Math.Max(unit, 0))
            : 0;
        return bytes is >= 1 and <= 1L << 50 ? (long)bytes : null;
    }
}
