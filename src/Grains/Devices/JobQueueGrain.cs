using System.Collections.Immutable;
using Distributed.Grains.Jobs;
using Distributed.Grains.Placement;
using Microsoft.Extensions.Logging;
using Orleans.Placement;
using Orleans.Runtime;

namespace Distributed.Grains.Devices;

/// <summary>Shell round <see cref="JobQueue"/>: asks silos for leases and looks again when the cluster may have grown.</summary>
[KeepAlive, PreferLocalPlacement]
internal sealed partial class JobQueueGrain(IClusterMembershipService members, ILogger<JobQueueGrain> logger) : Grain, IJobQueueGrain
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    private readonly JobQueue queue = new();
    private readonly Dictionary<string, ImmutableArray<LeasedSilo>> running = [];
    private readonly List<string> known = [];

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(Serve, new GrainTimerCreationOptions { DueTime = LookAgain, Period = LookAgain });
        return Task.CompletedTask;
    }

    public Task Enqueue(QueuedJob job)
    {
        if (!known.Contains(job.JobId)) known.Add(job.JobId);
        if (!running.ContainsKey(job.JobId)) queue.Add(job);
        return Serve();
    }

    public async Task Leave(string jobId)
    {
        queue.Remove(jobId);
        if (running.Remove(jobId, out var silos)) await GiveBack(jobId, silos);
        await Serve();
    }

    public Task<ImmutableArray<string>> List() => Task.FromResult(known.ToImmutableArray());

    public Task<ClusterView> Describe() => throw new NotSupportedException();

    private async Task Serve()
    {
        while (queue.Head is { } head)
        {
            var silos = await TryLease(head);
            if (silos.IsEmpty) return;
            queue.Remove(head.JobId);
            running[head.JobId] = silos;
            // Not awaited: the job may at this moment be waiting for the queue.
            Begin(head.JobId, silos).Ignore();
        }
    }

    /// <returns>All silos that the job wants, or none.</returns>
    private async Task<ImmutableArray<LeasedSilo>> TryLease(QueuedJob job)
    {
        var leased = new List<LeasedSilo>();
        var active = members.CurrentSnapshot.Members.Values.Where(m => m.Status == SiloStatus.Active).OrderBy(m => m.Name, SiloNameOrder.Instance);
        foreach (var member in active)
        {
            if (leased.Count == job.Silos) break;
            try
            {
                if (await Devices(member.SiloAddress).TryLease(job.JobId) is { } silo) leased.Add(silo);
            }
            catch (Exception e) when (e is OrleansException or TimeoutException)
            {
                LogLeaseFailed(e, member.Name, job.JobId);
            }
        }

        if (leased.Count == job.Silos && leased.Sum(s => s.Slots) >= job.MinSlots) return [.. leased];
        await GiveBack(job.JobId, [.. leased]);
        return [];
    }

    private Task GiveBack(string jobId, ImmutableArray<LeasedSilo> silos) => Task.WhenAll(silos.Select(silo => GiveBack(jobId, silo)));

    private async Task GiveBack(string jobId, LeasedSilo silo)
    {
        try
        {
            await Devices(silo.Address).Release(jobId);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // A silo that cannot be reached takes its lease with it.
            LogReleaseFailed(e, silo.Name, jobId);
        }
    }

    private async Task Begin(string jobId, ImmutableArray<LeasedSilo> silos)
    {
        try
        {
            await GrainFactory.GetGrain<IJobGrain>(jobId).Begin(silos);
        }
#pragma warning disable CA1031 // Nobody awaits this: whatever the job threw, its silos must come back.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogBeginFailed(e, jobId);
            await this.AsReference<IJobQueueGrain>().Leave(jobId);
        }
    }

    private ISiloDevicesGrain Devices(SiloAddress silo) => GrainFactory.GetGrain<ISiloDevicesGrain>(silo.ToParsableString());
}
