namespace Distributed.Training.Native;

/// <param name="Fingerprint">
/// Device kind, libtorch and instruction set: equal where equal bits can be expected; empty when libtorch cannot be used.
/// </param>
/// <param name="Failure">Why libtorch cannot be used, and the remedy; null when it can.</param>
public sealed record NativeReport(string Fingerprint, IReadOnlyList<NativeCheck> Checks, string? Failure);
