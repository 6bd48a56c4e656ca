using System.Globalization;

namespace Distributed.Bench.Settings;

/// <summary>Speeds of networks as people write them: <c>1Gbit</c>, <c>2.5 Gbit</c>, <c>100Mbit</c>.</summary>
internal static class BitRate
{
    private const double Mega = 1e6;
    private const double Giga = 1e9;

    /// <param name="rate">Bits a second.</param>
    public static string Text(double rate) => string.Create(
        CultureInfo.InvariantCulture, $"{(rate < Giga ? rate / Mega : rate / Giga):0.###} {(rate < Giga ? "Mbit/s" : "Gbit/s")}");

    /// <returns>Bits a second.</returns>
    /// <exception cref="FormatException">No speed, or none that a network has.</exception>
    public static double Parse(string text)
    {
        var word = text.Trim();
        var unit = Ends("Gbit") ? Giga : Ends("Mbit") ? Mega : 0;
        return unit > 0
            && double.TryParse(word[..^4].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count)
            && count * unit is >= Mega and <= 1e4 * Giga and var rate
            ? rate
            : throw new FormatException($"bench: bandwidth '{text}', expected 1Mbit to 10000Gbit, such as 100Mbit or 2.5Gbit.");

        bool Ends(string suffix) => word.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
    }
}
