namespace Distributed.Core.LossScaling;

/// <summary>The settings of a loss-scale policy, and how many skipped steps a job may have.</summary>
public sealed record LossScaleSpec
{
    /// <value>torch, megatron, deepspeed or static.</value>
    public string Policy { get; init; } = "torch";

    public double Init { get; init; } = 65536;

    public double Growth { get; init; } = 2;

    public double Backoff { get; init; } = 0.5;

    public int Interval { get; init; } = 2000;

    public double? Min { get; init; }

    public double? Max { get; init; }

    public int Hysteresis { get; init; } = 1;

    /// <value>Skipped steps in a row after which the job fails.</value>
    public int MaxConsecutiveSkips { get; init; } = 100;

    /// <value>Share of skipped steps, 0 to 1, beyond which the job fails: of all steps once 100 were made; of a shorter job at its
    /// end, counting those that the scaler's search does not explain.</value>
    public double MaxSkippedShare { get; init; } = 0.5;
}
