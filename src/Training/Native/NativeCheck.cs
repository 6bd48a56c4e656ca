namespace Distributed.Training.Native;

/// <summary>One line of a report: what was looked at, what was found, and the remedy when it is wrong.</summary>
public sealed record NativeCheck(string Name, bool Ok, string Detail, string? Remedy);
