namespace Distributed.Client.Rendering.Plots;

/// <summary>Numbers on axes.</summary>
internal static class PlotNumber
{
    private const double Kibi = 1024;
    private const double Mebi = Kibi * Kibi;

    public static string Text(double value) => ProgressCells.Text($"{value:G4}");

    /// <summary>In the largest unit that leaves a whole number.</summary>
    public static string Bytes(double value) => value switch
    {
        >= Mebi when value % Mebi == 0 => ProgressCells.Text($"{value / Mebi:0} MiB"),
        >= Kibi when value % Kibi == 0 => ProgressCells.Text($"{value / Kibi:0} KiB"),
        _ => Text(value),
    };

    /// <summary>The powers of ten from below the smallest value to above the largest.</summary>
    public static IEnumerable<double> Decades(double smallest, double largest)
    {
        for (var exponent = Math.Floor(Math.Log10(smallest)); ; exponent++)
        {
            yield return Math.Pow(10, exponent);
            if (Math.Pow(10, exponent) >= largest) yield break;
        }
    }
}
