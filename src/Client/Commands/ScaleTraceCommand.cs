using System.CommandLine;
using System.Globalization;
using Distributed.Client.Outcomes;
using Distributed.Core.Events;
using Distributed.Core.LossScaling;
using Distributed.Core.Spec;

namespace Distributed.Client.Commands;

/// <summary>The loss-scale policy alone, for comparing it with others.</summary>
internal sealed class ScaleTraceCommand
{
    private readonly Option<string> policy = new("--policy")
    {
        Description = $"{string.Join(", ", LossScalePolicies.Names)}; deepspeed is its ZeRO scaler.",
        DefaultValueFactory = _ => LossScalePolicies.Torch,
    };

    private readonly Option<double?> init = NumberOption.Real("--init", "A", "First scale.");
    private readonly Option<double?> growth = NumberOption.Real("--growth", "B", "Factor after enough clean steps.");
    private readonly Option<double?> backoff = NumberOption.Real("--backoff", "C", "Factor after an overflow.");
    private readonly Option<int?> interval = NumberOption.Whole("--interval", "D", "Clean steps before growth.");
    private readonly Option<int?> hysteresis = NumberOption.Whole("--hysteresis", "H", "Overflows until the scale backs off.");
    private readonly Option<double?> min = NumberOption.Real("--min", "M", "Floor of the scale.");
    private readonly Option<double?> max = NumberOption.Real("--max", "X", "Cap of the scale.");
    private readonly Option<int?> tracker = NumberOption.Whole("--tracker", "T", "Growth tracker to start from.", least: 0);

    private readonly Option<string> foundInf = new("--found-inf")
    {
        HelpName = "0,0,1,...",
        Description = "One overflow flag per step; anything but 0 is an overflow, NaN and inf included.",
        Required = true,
    };

    public static Command Create() => new ScaleTraceCommand().Build();

    private Verb Build()
    {
        Verb verb = new(
            "scale-trace",
            "Runs a loss-scale policy over overflow flags and prints one JSON object per step, values after the decision. "
            + "Options left out have the policy's own defaults.",
            "dtrain scale-trace --init 65536 --growth 2 --backoff 0.5 --interval 2 --found-inf 0,0,1,0",
            "dtrain scale-trace --policy megatron --init 256 --interval 2 --hysteresis 2 --found-inf 1,0,1,1,0,0")
        {
            policy, init, growth, backoff, interval, hysteresis, min, max, tracker, foundInf,
        };
        verb.SetAction(parse => Run(parse, parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error));
        return verb;
    }

    private int Run(ParseResult parse, TextWriter output, TextWriter error)
    {
        var flags = Flags(parse.GetRequiredValue(foundInf));
        var steps = ScaleTrace.Run(LossScalePolicies.Create(Settings(parse)), flags, parse.GetValue(tracker));
        try
        {
            foreach (var step in steps) output.WriteLine(Line(step));
            return ExitCode.Done;
        }
        catch (LossScaleException raised)
        {
            error.WriteLine($"dtrain: {raised.Message}");
            return ExitCode.Failed;
        }
    }

    private LossScaleSpec Settings(ParseResult parse)
    {
        var defaults = LossScalePolicies.Defaults(parse.GetRequiredValue(policy));
        var settings = defaults with
        {
            Init = parse.GetValue(init) ?? defaults.Init,
            Growth = parse.GetValue(growth) ?? defaults.Growth,
            Backoff = parse.GetValue(backoff) ?? defaults.Backoff,
            Interval = parse.GetValue(interval) ?? defaults.Interval,
            Hysteresis = parse.GetValue(hysteresis) ?? defaults.Hysteresis,
            Min = parse.GetValue(min) ?? defaults.Min,
            Max = parse.GetValue(max) ?? defaults.Max,
        };
        var problems = LossScaleRules.Problems(settings);
        return problems.Count == 0
            ? settings
            : throw new CommandFailure(
                ExitCode.Usage, string.Join('\n', problems.Select(problem => $"--{problem.Key}: {problem.Message}")));
    }

    private static List<double> Flags(string text)
    {
        var flags = text.Split(',', StringSplitOptions.TrimEntries).Select(Flag).ToList();
        if (flags.FindIndex(flag => flag is null) is >= 0 and var bad)
            throw new CommandFailure(
                ExitCode.Usage, $"--found-inf: flag {bad + 1} is '{text.Split(',')[bad].Trim()}', expected a number, NaN or inf.");
        return [.. flags.Select(flag => flag!.Value)];
    }

    private static double? Flag(string text) => text.ToUpperInvariant() switch
    {
        "NAN" => double.NaN,
        "INF" or "+INF" or "INFINITY" or "+INFINITY" => double.PositiveInfinity,
        "-INF" or "-INFINITY" => double.NegativeInfinity,
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null,
    };

    /// <summary>The float32 scale widened to double, so that a reader gets exactly that value.</summary>
    private static string Line(ScaleTraceStep step) =>
        FormattableString.Invariant($"{{\"scale\":{JsonNumber.Exact(step.Scale).ToJsonString()},\"growthTracker\":{step.GrowthTracker},")
        + FormattableString.Invariant($"\"skipped\":{(step.Skipped ? "true" : "false")}}}");
}
