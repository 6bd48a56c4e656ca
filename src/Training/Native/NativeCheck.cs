namespace Distributed.Training.Native;

/// <summary>One line of a report: what was looked at and what was found.</summary>
/// <param name="Remedy">What to do when it is wrong; beside something that is not wrong, a warning.</param>
public sealed record NativeCheck(string Name, bool Ok, string Detail, string? Remedy);
