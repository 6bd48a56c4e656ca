namespace Distributed.Training.Native;

/// <summary>Tells the work that a rank's thread does between its waits (reading data, building, evaluating) that the job is over.</summary>
/// <remarks>Held by the thread: whatever reads a file or computes a batch looks at it without being handed it.</remarks>
internal static class AbortSignal
{
    [ThreadStatic]
    private static CancellationToken signal;

    /// <value>Of this thread; none on threads that run no rank.</value>
    public static CancellationToken Current => signal;

    /// <summary>From here on this thread's work looks at <paramref name="token"/>.</summary>
    public static void Follow(CancellationToken token) => signal = token;

    /// <exception cref="OperationCanceledException">The job is over.</exception>
    public static void ThrowIfRaised() => signal.ThrowIfCancellationRequested();
}
