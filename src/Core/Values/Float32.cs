using System.Globalization;

namespace Distributed.Core.Values;

/// <summary>What becomes of a job's numbers, which are read as float64, where the arithmetic takes them as float32.</summary>
internal static class Float32
{
    public const string Range = "about 1.4e-45 to 3.4e38";

    /// <summary>The number stays finite, and what is not 0 does not become 0.</summary>
    public static bool Holds(double value) => float.IsFinite((float)value) && (value == 0 || (float)value != 0);

    public static string Show(float value) => float.IsInfinity(value) ? "infinite" : value.ToString(CultureInfo.InvariantCulture);
}
