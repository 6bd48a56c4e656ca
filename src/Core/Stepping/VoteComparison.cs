using System.Globalization;

namespace Distributed.Core.Stepping;

/// <summary>Bitwise comparison of votes; NaN equals NaN whatever its payload, 0 differs from -0.</summary>
internal static class VoteComparison
{
    public static (string Field, string First, string Second)? FirstDifference(StepVote first, StepVote second)
    {
        foreach (var ((name, a), (_, b)) in Fields(first).Zip(Fields(second)))
        {
            if (!Same(a, b)) return (name, Show(a), Show(b));
        }

        return null;
    }

    private static IEnumerable<(string Name, object? Value)> Fields(StepVote vote)
    {
        var (before, scaling) = (vote.Before, vote.Before.LossScale);
        return
        [
            ("generation", vote.Generation),
            ("step", before.Step),
            ("updates", before.Updates),
            ("loss scale", (double)scaling.Scale),
            ("growth tracker", scaling.GrowthTracker),
            ("hysteresis", scaling.Hysteresis),
            ("last overflow", scaling.LastOverflow),
            ("consecutive skips", scaling.ConsecutiveSkips),
            ("unexplained skips", before.Skips.Unexplained),
            ("first unexplained skip", before.Skips.FirstStep),
            ("parameter of the first unexplained skip", before.Skips.FirstParameter),
            ("recent skips", before.RecentSkips),
            ("found_inf", vote.FoundInf),
            ("squared gradient norm", vote.NormSquared),
            ("loss sum", vote.LossSum),
            ("items", vote.Items),
            ("first non-finite parameter", vote.NonFinite),
        ];
    }

    private static bool Same(object? a, object? b) => (a, b) switch
    {
        (double x, double y) =>
            BitConverter.DoubleToInt64Bits(x) == BitConverter.DoubleToInt64Bits(y) || (double.IsNaN(x) && double.IsNaN(y)),
        _ => Equals(a, b),
    };

    private static string Show(object? value) => value is null ? "none" : Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
