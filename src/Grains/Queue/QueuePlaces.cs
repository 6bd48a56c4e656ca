using Distributed.Core.Jobs;

namespace Distributed.Grains.Queue;

/// <summary>
/// Places in the line that are kept for jobs which are about to be stored, so that many submissions at once do not pass a quota together.
/// </summary>
internal sealed class QueuePlaces(TimeProvider time)
{
    /// <summary>A submission that takes longer has failed.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly Dictionary<JobId, (string User, long Since)> kept = [];

    /// <param name="waiting">Jobs of the user in the line.</param>
    /// <param name="most">Null: no bound.</param>
    /// <returns>Null: a place is kept. Otherwise why not.</returns>
    public string? Keep(JobId jobId, string user, int waiting, int? most)
    {
        foreach (var late in kept.Where(place => time.GetElapsedTime(place.Value.Since) > Longest).Select(place => place.Key).ToList())
            kept.Remove(late);
        var taken = waiting + kept.Count(place => place.Value.User == user && place.Key != jobId);
        if (taken >= most)
            return FormattableString.Invariant($"user {user} has {taken} jobs in the queue and may have {most}: ")
                + "wait until some have begun, stop or delete some, or ask the cluster's operator for a larger quota.";
        kept[jobId] = (user, time.GetTimestamp());
        return null;
    }

    /// <summary>The job is in the line, or will not come.</summary>
    public void Free(JobId jobId) => kept.Remove(jobId);
}
