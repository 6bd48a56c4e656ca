using Distributed.Grains.Placement;

namespace Distributed.Silo.Lifecycle;

/// <summary>Waits until an operator drains this silo, and then has its jobs handed over.</summary>
internal sealed class DrainedSilo(SiloDrain drain, Departure departure) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await drain.WhenAsked(stoppingToken);
                await departure.StayDrained(stoppingToken);
                // It leaves now, and another way.
                if (drain.IsLeaving) return;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
