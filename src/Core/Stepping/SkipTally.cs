namespace Distributed.Core.Stepping;

/// <summary>Skipped steps of the whole job that the scaler's own search for a loss scale does not explain.</summary>
/// <param name="Unexplained">How many.</param>
/// <param name="FirstStep">The first of them; 0 while there is none.</param>
/// <param name="FirstParameter">First parameter with a non-finite gradient in that step; null where only the norm was not finite.</param>
public readonly record struct SkipTally(long Unexplained, long FirstStep, string? FirstParameter)
{
    /// <summary>The tally with one more step.</summary>
    public SkipTally With(long step, string? parameter) =>
        Unexplained == 0 ? new(1, step, parameter) : this with { Unexplained = Unexplained + 1 };
}
