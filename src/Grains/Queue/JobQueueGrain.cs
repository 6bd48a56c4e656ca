using System.Collections.Immutable;
using Distributed.Core.Jobs;
using Distributed.Grains.Contracts;
using Distributed.Grains.Placement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Runtime;
using Orleans.Storage;

namespace Distributed.Grains.Queue;

/// <summary>
/// Shell round <see cref="QueuePlanner"/>. Reentrant, as jobs and queue call each other; what it decides, it decides in one loop.
/// </summary>
[Reentrant, KeepAlive, OnWillingSilo]
internal sealed partial class JobQueueGrain(
    [PersistentState("queue", StorageNames.Jobs)] IPersistentState<QueueRecord> store,
    [FromKeyedServices(StorageNames.Jobs)] IGrainStorage storage,
    IClusterMembershipService members,
    IDeviceServices devices,
    IUserQuotas quotas,
    ILocalSiloDetails local,
    SiloDrain drain,
    IOptions<QueueOptions> options,
    TimeProvider time,
    ILogger<JobQueueGrain> logger,
    IJobJournals? journals = null) : Grain, IJobQueueGrain, IDisposable
{
    private readonly Dictionary<JobId, QueuedJob> waiting = [];
    private readonly Dictionary<JobId, Held> holders = [];
    private readonly HashSet<JobId> unheard = [];
    private readonly QueueList list = new(store, storage);
    private IReadOnlyDictionary<JobId, JobFinding> reasons = ImmutableDictionary<JobId, JobFinding>.Empty;
    private readonly QueuePlaces places = new(time);
    private readonly QueueDisk disk = new(journals, time);
    private long activated;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        await list.Open();
        activated = time.GetTimestamp();
        unheard.UnionWith(list.Jobs.Where(j => !j.Ended).Select(j => j.JobId));
        ServeSoon();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // What it would still deal out, the next one does not know of.
        deactivated = true;
        return Task.CompletedTask;
    }

    public async Task Enqueue(QueuedJob job)
    {
        await list.Set(job.JobId, ended: false, job.User);
        Line(job);
        ServeSoon();
    }

    public async Task<string?> Admit(JobId jobId, string user)
    {
        if (waiting.ContainsKey(jobId)) return null;
        return await Weigh(jobId, user, bytes: null)
            ?? places.Keep(jobId, user, waiting.Values.Count(job => job.User == user), quotas.Of(user).Queued);
    }

    public async Task<string?> Weigh(JobId jobId, string user, long? bytes)
    {
        if (bytes is { } known) disk.Note(jobId, known);
        return quotas.Of(user).Disk is { } most && await disk.Full(user, most, JobsOf(user)) is { } full
            ? $"{full.What}: {char.ToLowerInvariant(full.Remedy[0])}{full.Remedy[1..]}"
            : null;
    }

    public async Task Leave(JobId jobId, bool ended, string? user = null)
    {
        Drop(jobId);
        disk.Forget(jobId);
        ServeSoon();
        if (ended) await list.Set(jobId, ended: true, user);
    }

    public async Task Forget(JobId jobId)
    {
        Drop(jobId);
        disk.Forget(jobId);
        await list.Remove(jobId);
    }

    public Task<ImmutableArray<string>> List() => Task.FromResult<ImmutableArray<string>>([.. list.Jobs.Select(j => j.JobId.ToString())]);

    public async Task<ClusterView> Describe()
    {
        var (_, views) = await LookAtSilos();
        return new ClusterView(views, waiting.Count, holders.Count);
    }

    public Task<JobFinding?> Explain(JobId jobId) => Task.FromResult(waiting.ContainsKey(jobId) ? ReasonOf(jobId) : null);

    public Task<SiloAddress> Look(bool changed)
    {
        if (changed) wakeAll = true;
        if (changed || IsDue()) ServeSoon();
        return Task.FromResult(local.SiloAddress);
    }

    public void Dispose() => list.Dispose();

    private void Line(QueuedJob job)
    {
        unheard.Remove(job.JobId);
        places.Free(job.JobId);
        if (holders.TryGetValue(job.JobId, out var held) && held.Generation >= job.Generation) return;
        holders.Remove(job.JobId);
        waiting[job.JobId] = job;
        lined.TryAdd(job.JobId, time.GetTimestamp());
        Learn(job.Faults);
    }

    private void Drop(JobId jobId)
    {
        unheard.Remove(jobId);
        waiting.Remove(jobId);
        lined.Remove(jobId);
        holders.Remove(jobId);
    }
}
