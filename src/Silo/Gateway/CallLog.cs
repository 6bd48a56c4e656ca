namespace Distributed.Silo.Gateway;

/// <summary>Keeps callers from filling the log: so many lines per minute for what calls run into.</summary>
internal sealed partial class CallLog(TimeProvider time, ILogger<CallLog> logger)
{
    public const int LinesPerMinute = 60;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private long? began;
    private int lines;
    private int held;

    /// <summary>
    /// Whether one more line may be written; the first of a minute is preceded by how many were not written in the one before.
    /// </summary>
    public bool May()
    {
        int unsaid;
        bool may;
        lock (gate)
        {
            unsaid = 0;
            if (began is not { } start || time.GetElapsedTime(start) >= Minute)
                (began, lines, unsaid, held) = (time.GetTimestamp(), 0, held, 0);
            may = lines++ < LinesPerMinute;
            if (!may) held++;
        }

        if (unsaid > 0) LogUnsaid(unsaid);
        return may;
    }

    [LoggerMessage(4005, LogLevel.Warning, "{Count} more errors of calls were not logged in the last minute that had some.")]
    private partial void LogUnsaid(int count);
}
