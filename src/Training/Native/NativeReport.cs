namespace Distributed.Training.Native;

/// <param name="Fingerprint">Device kind, libtorch and instruction set: equal where equal bits can be expected.</param>
public sealed record NativeReport(string Fingerprint, IReadOnlyList<NativeCheck> Checks);
