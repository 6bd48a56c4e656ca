namespace Distributed.Core.Values;

/// <summary>Divisors, for what an error expects.</summary>
public static class Divisors
{
    /// <summary>The divisors of a number next to another.</summary>
    public static string Near(int number, int near)
    {
        var below = Math.Min(near, number);
        while (number % below != 0) below--;
        if (near >= number) return FormattableString.Invariant($"{below}");
        var above = near;
        while (number % above != 0) above++;
        return FormattableString.Invariant($"{below} or {above}");
    }
}
