using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Distributed.Grains.Devices;

/// <summary>On every silo: keeps the queue awake, wherever it lives, and tells it of silos that come and go; it then wakes the jobs whose grain was lost.</summary>
internal sealed partial class QueueKeeper(
    IGrainFactory grains, IClusterMembershipService members, ILocalSiloDetails local, [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<QueueKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>From silos that the queue does not live on: a loss of its silo is a change of the membership, and known at once.</summary>
    private static readonly TimeSpan FarPeriod = TimeSpan.FromSeconds(10);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(KeepAwake(stoppingToken), TellOfChanges(stoppingToken));

    private async Task KeepAwake(CancellationToken stopping)
    {
        try
        {
            for (var isFar = false; ; isFar = await Tell(changed: false) is { } queue && !queue.Equals(local.SiloAddress))
                await Task.Delay(isFar ? FarPeriod : Period, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task TellOfChanges(CancellationToken stopping)
    {
        try
        {
            await foreach (var _ in members.MembershipUpdates.WithCancellation(stopping))
                while (await Tell(changed: true) is null) await Task.Delay(Period, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <returns>Where the queue lives; null when it was not reached.</returns>
    private async Task<SiloAddress?> Tell(bool changed)
    {
        try
        {
            return await grains.GetGrain<IJobQueueGrain>(0).Look(changed);
        }
#pragma warning disable CA1031 // Before the silo is up, while it leaves, or when the queue's silo was just lost: the next tick tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotTold(e);
            return null;
        }
    }

    [LoggerMessage(3107, LogLevel.Debug, "The job queue was not reached; tried again in a second.")]
    private partial void LogNotTold(Exception error);
}
