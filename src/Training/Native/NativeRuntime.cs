namespace Distributed.Training.Native;

/// <summary>Brings up libtorch once per process and says what was found.</summary>
public static class NativeRuntime
{
    /// <summary>Loads and self-tests the native libraries; later calls return at once.</summary>
    /// <exception cref="Core.JobException">Code <c>native</c>: what is missing or wrong, and the remedy.</exception>
    public static NativeReport Initialize() => throw new NotSupportedException();
}

/// <summary>One line of a report: what was looked at, what was found, and the remedy when it is wrong.</summary>
public sealed record NativeCheck(string Name, bool Ok, string Detail, string? Remedy);

/// <param name="Fingerprint">Device kind, libtorch and instruction set: equal where equal bits can be expected.</param>
public sealed record NativeReport(string Fingerprint, IReadOnlyList<NativeCheck> Checks);
