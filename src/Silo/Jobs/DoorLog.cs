namespace Distributed.Silo.Jobs;

/// <summary>Keeps callers from filling the log: so many lines a minute for what calls run into.</summary>
internal sealed class DoorLog(TimeProvider time)
{
    public const int LinesPerMinute = 60;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private long? began;
    private int lines;
    private int held;

    /// <param name="unsaid">Lines of an earlier minute that were not written; the one to be written says so.</param>
    /// <returns>False: this minute has had its lines.</returns>
    public bool Take(out int unsaid)
    {
        lock (gate)
        {
            unsaid = 0;
            if (began is not { } start || time.GetElapsedTime(start) >= Minute) (began, lines, unsaid, held) = (time.GetTimestamp(), 0, held, 0);
            if (lines++ < LinesPerMinute) return true;
            held++;
            return false;
        }
    }
}
