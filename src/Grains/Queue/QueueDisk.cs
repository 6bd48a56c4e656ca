using Distributed.Core.Values;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Queue;

/// <summary>What jobs take on the volume that all share, as last looked at; a job that runs says so itself, the folder of one that does not stays as it is.</summary>
internal sealed class QueueDisk(IJobJournals? journals)
{
    /// <summary>Folders that one question looks into: a user with thousands is known after several.</summary>
    private const int MostLooks = 100;

    private long forgotten;
    private readonly Dictionary<string, long> sizes = new(StringComparer.Ordinal);

    public void Note(string jobId, long bytes) => sizes[jobId] = bytes;

    /// <summary>It may have changed since.</summary>
    public void Forget(string jobId)
    {
        forgotten++;
        sizes.Remove(jobId);
    }

    /// <param name="most">Bytes.</param>
    /// <param name="jobs">All of the user's.</param>
    /// <returns>Null: there is room. Otherwise why not.</returns>
    public async Task<JobFinding?> Full(string user, long most, IReadOnlyList<string> jobs)
    {
        if (journals is null) return null;
        foreach (var job in jobs.Where(job => !sizes.ContainsKey(job)).Take(MostLooks)) await Look(job);
        var taken = jobs.Sum(job => sizes.GetValueOrDefault(job));
        return taken < most ? null : new JobFinding(
            $"the jobs of user {user} take {MemorySize.Text(taken)} on the cluster's disk and may take {MemorySize.Text(most)}", "Delete some of them, or ask the cluster's operator for a larger quota.");
    }

    private async Task Look(string job)
    {
        var before = forgotten;
        try
        {
            var bytes = await journals!.Size(job);
            // A job that began or ended meanwhile is looked at again.
            if (forgotten == before) sizes.TryAdd(job, bytes);
        }
        catch (IOException)
        {
            // The next question looks again.
        }
    }
}
