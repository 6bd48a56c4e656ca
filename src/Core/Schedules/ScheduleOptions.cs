using Distributed.Core.Options;

namespace Distributed.Core.Schedules;

/// <summary>The learning rate by updates applied so far: warm-up, then what the schedule leaves of it.</summary>
/// <remarks>Properties with an <see cref="OptionAttribute"/> are keys of <c>schedule</c> in the job file.</remarks>
public abstract record ScheduleOptions
{
    [Option("W: update u (from 0) below W runs at lr * (u + 1) / W", Least = 0, Most = 1_000_000_000_000)]
    public long WarmupSteps { get; init; }

    /// <summary>Rate of the update that follows <paramref name="updates"/> applied ones.</summary>
    /// <param name="totalSteps">Where schedules that fall end; skipped steps leave the rate above that.</param>
    /// <remarks>Warm-up: lr * (u + 1) / W for u below W. The rest spans W to <paramref name="totalSteps"/>.</remarks>
    public double LearningRate(double lr, long updates, long totalSteps) => updates < WarmupSteps
        ? lr * ((updates + 1.0) / WarmupSteps)
        : lr * Remaining(updates - WarmupSteps, totalSteps - WarmupSteps);

    /// <summary>Share of the learning rate that is left.</summary>
    /// <param name="done">Updates since the warm-up.</param>
    /// <param name="span">Steps from the warm-up's end to the last; <paramref name="done"/> may reach beyond.</param>
    protected abstract double Remaining(long done, long span);
}

/// <summary>The same rate to the end.</summary>
public sealed record ConstantOptions : ScheduleOptions
{
    protected override double Remaining(long done, long span) => 1;
}

/// <summary>In a straight line to 0 at the last step.</summary>
public sealed record LinearOptions : ScheduleOptions
{
    protected override double Remaining(long done, long span) => done >= span ? 0 : (double)(span - done) / span;
}

/// <summary>Along half a cosine to 0 at the last step.</summary>
public sealed record CosineOptions : ScheduleOptions
{
    protected override double Remaining(long done, long span) => done >= span ? 0 : 0.5 * (1 + Math.Cos(Math.PI * done / span));
}
