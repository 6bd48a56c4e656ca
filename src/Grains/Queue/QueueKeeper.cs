using Distributed.Grains.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Distributed.Grains.Queue;

/// <summary>
/// On every silo: keeps the queue awake, wherever it lives, and tells it of silos that come and go; it then wakes the jobs
/// whose grain was lost.
/// </summary>
internal sealed partial class QueueKeeper(
    IGrainFactory grains, IClusterMembershipService members, ILocalSiloDetails local,
    [FromKeyedServices(TimeProviderNames.SystemTimers)] TimeProvider time, ILogger<QueueKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(0.95);

    /// <summary>From silos that the queue does not live on: a loss of its silo is a change of the membership, and known at once.</summary>
    private static readonly TimeSpan FarPeriod = TimeSpan.FromSeconds(10);

    /// <summary>Where it was found last; null: anywhere.</summary>
    private SiloAddress? queue;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(KeepAwake(stoppingToken), TellOfChanges(stoppingToken));

    private async Task KeepAwake(CancellationToken stopping)
    {
        var told = time.GetTimestamp();
        try
        {
            while (true)
            {
                await Task.Delay(Period, time, stopping);
                if (Volatile.Read(ref queue) is { } far && !far.Equals(local.SiloAddress) && time.GetElapsedTime(told) < FarPeriod)
                    continue;
                await Tell(changed: false);
                told = time.GetTimestamp();
            }
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
                while (!await Tell(changed: true)) await Task.Delay(Period, time, stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    /// <returns>Whether the queue was reached.</returns>
    private async Task<bool> Tell(bool changed)
    {
        try
        {
            Volatile.Write(ref queue, await grains.GetGrain<IJobQueueGrain>(0).Look(changed));
            return true;
        }
#pragma warning disable CA1031 // Before the silo is up, while it leaves, or when the queue's silo was just lost: the next tick tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Volatile.Write(ref queue, null);
            LogNotTold(e);
            return false;
        }
    }

    [LoggerMessage(3107, LogLevel.Debug, "The job queue was not reached; tried again in a second.")]
    private partial void LogNotTold(Exception error);
}
