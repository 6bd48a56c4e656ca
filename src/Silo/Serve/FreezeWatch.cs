using Orleans.Runtime;

namespace Distributed.Silo.Serve;

/// <summary>Notices that this process stood still so long that the cluster may have given it up; if it has, the process ends before its ranks go on.</summary>
internal sealed partial class FreezeWatch(IMembershipTable table, ILocalSiloDetails local, [FromKeyedServices(TimeProviderNames.Membership)] TimeProvider time, ILogger<FreezeWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    /// <summary>Less than two missed probes take, however they fall.</summary>
    private static readonly TimeSpan Suspicious = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        var last = time.GetTimestamp();
        TimeSpan? unexplained = null;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var stood = time.GetElapsedTime(last);
                last = time.GetTimestamp();
                if (stood > Suspicious) unexplained = stood;
                // A table that does not answer, right after a freeze, is asked again.
                if (unexplained is { } frozen && await EndIfGivenUp(frozen)) unexplained = null;
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <returns>Whether the table answered.</returns>
    private async Task<bool> EndIfGivenUp(TimeSpan stood)
    {
        try
        {
            var rows = await table.ReadRowAsync(local.SiloAddress);
            if (!rows.Members.Any(m => m.Item1.SiloAddress.Equals(local.SiloAddress) && m.Item1.Status == SiloStatus.Dead)) return true;
        }
#pragma warning disable CA1031 // Whatever kept the table from answering: the membership itself goes on asking.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotRead(e);
            return false;
        }

        ProcessEnd.Now(FormattableString.Invariant($"this silo stood still for {stood.TotalSeconds:0.#} s and was given up by the cluster; it ends. Its jobs go on elsewhere."));
        return true;
    }

    [LoggerMessage(4212, LogLevel.Warning, "The membership table did not say whether this silo was given up after it stood still.")]
    private partial void LogNotRead(Exception error);
}
