using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;

namespace Distributed.Grains.Queue;

// Jobs of a user who has as much on disk as he may have would begin only to fail for that: they wait.
internal sealed partial class JobQueueGrain
{
    /// <summary>Why, by user.</summary>
    private IReadOnlyDictionary<string, JobFinding> full = ImmutableDictionary<string, JobFinding>.Empty;
    private Task looking = Task.CompletedTask;

    private List<JobId> JobsOf(string user) => [.. list.Jobs.Where(job => job.User == user).Select(job => job.JobId)];

    /// <summary>As far as it is known: the volume is looked at meanwhile, and one that hangs holds up nobody.</summary>
    private Dictionary<string, JobFinding> FullUsers()
    {
        var bounds = waiting.Values.Select(job => job.User).Distinct().Select(user => (User: user, quotas.Of(user).Disk))
            .Where(user => user.Disk is not null).ToDictionary(user => user.User, user => user.Disk!.Value);
        if (bounds.Count == 0) return [];
        var jobs = list.Jobs.Where(job => job.User is { } user && bounds.ContainsKey(user)).ToLookup(job => job.User!, job => job.JobId);
        if (looking.IsCompleted) looking = LookAtDisk([.. bounds.Select(user => (user.Key, user.Value, jobs[user.Key].ToList()))]);
        looking.Ignore();
        return bounds.Select(user => (user.Key, Why: disk.KnownFull(user.Key, user.Value, jobs[user.Key])))
            .Where(user => user.Why is not null).ToDictionary(user => user.Key, user => user.Why!);
    }

    private async Task LookAtDisk(IReadOnlyList<(string User, long Most, List<JobId> Jobs)> users)
    {
        foreach (var (user, most, jobs) in users)
        {
            var before = disk.KnownFull(user, most, jobs) is not null;
            if (await disk.Full(user, most, jobs) is not null != before) ServeSoon();
        }
    }
}
