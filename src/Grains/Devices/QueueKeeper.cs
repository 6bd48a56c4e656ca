using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Distributed.Grains.Devices;

/// <summary>On every silo: keeps the queue awake, wherever it lives, and tells it of silos that come and go; it then wakes the jobs whose grain was lost.</summary>
internal sealed partial class QueueKeeper(IGrainFactory grains, IClusterMembershipService members, TimeProvider time, ILogger<QueueKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(KeepAwake(stoppingToken), TellOfChanges(stoppingToken));

    private async Task KeepAwake(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping)) await Tell(changed: false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task TellOfChanges(CancellationToken stopping)
    {
        try
        {
            await foreach (var _ in members.MembershipUpdates.WithCancellation(stopping)) await Tell(changed: true);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
        }
    }

    private async Task Tell(bool changed)
    {
        try
        {
            await grains.GetGrain<IJobQueueGrain>(0).Look(changed);
        }
#pragma warning disable CA1031 // Before the silo is up, while it leaves, or when the queue's silo was just lost: the next tick tries again.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotTold(e);
        }
    }

    [LoggerMessage(3107, LogLevel.Debug, "The job queue was not reached; tried again in two seconds.")]
    private partial void LogNotTold(Exception error);
}
