using System.Globalization;

namespace Distributed.Core.Checkpoints;

/// <summary>Directory names in a checkpoint store: <c>step-0000000100</c>.</summary>
internal static class CheckpointName
{
    private const string Prefix = "step-";
    private const int Digits = 10;

    public static string Of(long step) => Prefix + step.ToString("D" + Digits, CultureInfo.InvariantCulture);

    /// <summary>Accepts exactly what <see cref="Of"/> gives, so that no name leads out of the store.</summary>
    public static bool TryParse(string name, out long step)
    {
        step = 0;
        return name.StartsWith(Prefix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out step)
            && Of(step) == name;
    }
}
