using Distributed.Core.Jobs;
using Distributed.Core.Values;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Queue;

/// <summary>
/// What jobs take on the volume that all share, as last looked at; a job that runs says so itself, the folder of one that
/// does not stays as it is.
/// </summary>
internal sealed class QueueDisk(IJobJournals? journals, TimeProvider time)
{
    /// <summary>Folders that one question looks into: a user with thousands is known after several.</summary>
    private const int MostLooks = 100;

    /// <summary>
    /// How long a look counts for a user who has too much, or whose folder could not be read: somebody may have made room, or mended it.
    /// </summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    private readonly Dictionary<JobId, (long Bytes, bool Failed, long At)> sizes = [];
    private long forgotten;

    public void Note(JobId jobId, long bytes) => sizes[jobId] = (bytes, false, time.GetTimestamp());

    /// <summary>It may have changed since.</summary>
    public void Forget(JobId jobId)
    {
        forgotten++;
        sizes.Remove(jobId);
    }

    /// <summary>Looks at what is not known yet; of a user who has too much, also at what was looked at some time ago.</summary>
    /// <param name="most">Bytes.</param>
    /// <param name="jobs">All of the user's.</param>
    /// <returns>Null: there is room. Otherwise why not.</returns>
    /// <remarks>A volume may be slow, or hang.</remarks>
    public async Task<JobFinding?> Full(string user, long most, IReadOnlyCollection<JobId> jobs)
    {
        if (journals is null) return null;
        foreach (var job in jobs.Where(IsUnknown).Take(MostLooks).ToList()) await Look(job);
        if (KnownFull(user, most, jobs) is null) return null;
        foreach (var job in jobs.Where(IsOld).Take(MostLooks).ToList()) await Look(job);
        return KnownFull(user, most, jobs);
    }

    /// <summary>The same by what is known, without a look.</summary>
    public JobFinding? KnownFull(string user, long most, IEnumerable<JobId> jobs)
    {
        var taken = jobs.Sum(job => sizes.TryGetValue(job, out var known) ? known.Bytes : 0);
        return taken < most ? null : new JobFinding(
            $"the jobs of user {user} take {MemorySize.Text(taken)} on the cluster's disk and may take {MemorySize.Text(most)}",
            "Delete some of them, or ask the cluster's operator for a larger quota.");
    }

    private bool IsUnknown(JobId job) => !sizes.TryGetValue(job, out var known) || (known.Failed && IsOld(job));

    private bool IsOld(JobId job) => sizes.TryGetValue(job, out var known) && time.GetElapsedTime(known.At) > Fresh;

    private async Task Look(JobId job)
    {
        var before = forgotten;
        try
        {
            var bytes = await journals!.Size(job);
            // A job that began or ended meanwhile is looked at again.
            if (forgotten == before) Note(job, bytes);
        }
        catch (IOException)
        {
            if (forgotten == before) sizes[job] = (sizes.TryGetValue(job, out var known) ? known.Bytes : 0, true, time.GetTimestamp());
        }
    }
}
