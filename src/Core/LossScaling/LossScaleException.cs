namespace Distributed.Core.LossScaling;

/// <summary>A loss-scale policy that cannot go on; the message says at which scale and what to do.</summary>
public sealed class LossScaleException(string message) : Exception(message);
