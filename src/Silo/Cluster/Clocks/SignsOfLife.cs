namespace Distributed.Silo.Cluster.Clocks;

/// <summary>When members last gave a sign of life, by this silo's clock.</summary>
/// <remarks>
/// Each member writes the time of its own clock. One that lies in the future would count as fresh for as long as that clock was ahead,
/// although its silo may be long dead; one of a slow clock as old, although its silo lives. So what differs is replaced by when this silo
/// saw it change.
/// </remarks>
/// <typeparam name="TKey">Names a member.</typeparam>
internal sealed class SignsOfLife<TKey>(TimeProvider time)
    where TKey : notnull
{
    /// <summary>Clocks may differ by this much without harm: less than one sign of life.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(3);

    private readonly Dictionary<TKey, (DateTime Said, DateTime Seen, bool Changed)> known = [];
    private readonly Lock gate = new();

    /// <param name="said">As the member wrote it, UTC.</param>
    /// <returns>UTC, by this silo's clock.</returns>
    public DateTime Translate(TKey member, DateTime said)
    {
        var now = time.GetUtcNow().UtcDateTime;
        lock (gate)
        {
            if (!known.TryGetValue(member, out var last)) last = (said, now, false);
            else if (last.Said != said) last = (said, now, true);
            known[member] = last;
            var differs = said - last.Seen > Tolerance || (last.Changed && last.Seen - said > TableAge);
            return differs ? last.Seen : said;
        }
    }

    /// <summary>A change may be seen as late as this, so that an older time in it is no sign of a slow clock.</summary>
    private static readonly TimeSpan TableAge = TimeSpan.FromSeconds(70);
}
