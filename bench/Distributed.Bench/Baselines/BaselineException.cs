namespace Distributed.Bench.Baselines;

/// <summary>A baseline that is not installed or does not run; no failure of the bench.</summary>
internal sealed class BaselineException(string message) : Exception(message);
