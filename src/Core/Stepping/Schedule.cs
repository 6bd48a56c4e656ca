using Distributed.Core.Spec;

namespace Distributed.Core.Stepping;

/// <summary>The learning rate by updates applied so far: warm-up, then constant, linear or half-cosine decay to 0.</summary>
public static class Schedule
{
    /// <summary>Rate of the update that follows <paramref name="updates"/> applied ones.</summary>
    /// <param name="totalSteps">Where linear and cosine reach 0; skipped steps leave the rate above it.</param>
    /// <remarks>Warm-up: lr * (u + 1) / W for u below W. Decay spans W to <paramref name="totalSteps"/>.</remarks>
    public static double LearningRate(ScheduleSpec schedule, double lr, long updates, long totalSteps)
    {
        var warmup = schedule.WarmupSteps;
        if (updates < warmup) return lr * ((updates + 1.0) / warmup);
        return lr * Remaining(schedule.Name, updates - warmup, totalSteps - warmup);
    }

    private static double Remaining(string name, long done, long span) => name switch
    {
        "constant" => 1,
        "linear" or "cosine" when done >= span => 0,
        "linear" => (double)(span - done) / span,
        "cosine" => 0.5 * (1 + Math.Cos(Math.PI * done / span)),
        _ => throw new ArgumentException($"Unknown schedule '{name}'; expected constant, linear or cosine.", nameof(name)),
    };
}
