using System.Globalization;

namespace Distributed.Core.Values;

/// <summary>
/// Durations as job files and options write them: a whole number and a unit, such as <c>90s</c>, <c>30m</c>, <c>2h</c> or <c>1d</c>.
/// </summary>
public static class DurationText
{
    /// <summary>What an error says that it expected.</summary>
    public const string Expected = "a duration from 1s to 365d: a whole number and one of the units s, m, h, d, such as 90s, 30m, 2h or 1d";

    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    private static readonly (char Unit, TimeSpan Length)[] Units =
        [('d', TimeSpan.FromDays(1)), ('h', TimeSpan.FromHours(1)), ('m', TimeSpan.FromMinutes(1)), ('s', TimeSpan.FromSeconds(1))];

    /// <returns>Null: the text is none, or out of range.</returns>
    public static TimeSpan? Parse(string text)
    {
        if (text.Length < 2
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)) return null;
        var unit = Array.Find(Units, u => u.Unit == text[^1]).Length;
        return unit > TimeSpan.Zero && count >= 1 && count <= Longest / unit ? unit * count : null;
    }

    /// <summary>The same duration in its largest whole unit; what is less than a second is left out.</summary>
    public static string Write(TimeSpan duration)
    {
        var seconds = TimeSpan.FromSeconds(Math.Floor(duration.TotalSeconds));
        var (unit, length) = Array.Find(Units, u => seconds.Ticks % u.Length.Ticks == 0 && (seconds > TimeSpan.Zero || u.Unit == 's'));
        return string.Create(CultureInfo.InvariantCulture, $"{seconds.Ticks / length.Ticks}{unit}");
    }

    /// <summary>Roughly, for people: two units at most, such as <c>1h 20m</c>.</summary>
    public static string Describe(TimeSpan duration)
    {
        var largest = Array.FindIndex(Units, u => duration >= u.Length);
        if (largest < 0) return "0s";
        var first = (long)(duration / Units[largest].Length);
        if (largest == Units.Length - 1) return string.Create(CultureInfo.InvariantCulture, $"{first}s");
        var second = (long)((duration - (Units[largest].Length * first)) / Units[largest + 1].Length);
        var head = string.Create(CultureInfo.InvariantCulture, $"{first}{Units[largest].Unit}");
        return second == 0 ? head : string.Create(CultureInfo.InvariantCulture, $"{head} {second}{Units[largest + 1].Unit}");
    }
}
