namespace Distributed.Core.LossScaling;

/// <summary>All that a loss-scale policy remembers between steps; equal on every replica after every step.</summary>
/// <param name="Scale">Loss scale of the next step, float32.</param>
/// <param name="GrowthTracker">torch, megatron: clean steps since the last change. deepspeed: current iteration.</param>
/// <param name="Hysteresis">Overflows still tolerated before the scale backs off.</param>
/// <param name="LastOverflow">deepspeed only: iteration of the last overflow, -1 before the first.</param>
/// <param name="ConsecutiveSkips">Skipped steps since the last applied one.</param>
public readonly record struct LossScaleState(float Scale, int GrowthTracker, int Hysteresis, int LastOverflow, int ConsecutiveSkips);
