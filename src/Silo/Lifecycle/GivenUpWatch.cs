using Distributed.Core.Jobs;
using Distributed.Grains.Jobs;
using Distributed.Silo.Cluster;
using Distributed.Silo.Failures;
using Distributed.Silo.Ranks;
using Orleans.Runtime;

namespace Distributed.Silo.Lifecycle;

/// <summary>
/// Ends this process when the cluster gave it up without its knowing: after it stood still, before its ranks go on; after it was cut off,
/// before clients take it for a member.
/// </summary>
internal sealed partial class GivenUpWatch(
    IMembershipTable table, ILocalSiloDetails local, OwnMemberRow row, LocalJobs followed, RankHost ranks,
    IHostApplicationLifetime lifetime,
    [FromKeyedServices(TimeProviderNames.Membership)] TimeProvider time, ILogger<GivenUpWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    /// <summary>Less than two missed probes take, however they fall.</summary>
    private static readonly TimeSpan Suspicious = TimeSpan.FromSeconds(1);

    /// <summary>Looks without its row before a silo ends: one alone may be a store that is just starting.</summary>
    private const int MostMissing = 3;

    /// <summary>Who is cut off learns of it from no other silo; Orleans itself reads the table once a minute.</summary>
    private static readonly TimeSpan Unasked = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        var (last, asked) = (time.GetTimestamp(), time.GetTimestamp());
        TimeSpan? unexplained = null;
        Task<bool>? look = null;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var stood = time.GetElapsedTime(last);
                last = time.GetTimestamp();
                // An answer that is on its way may be from before.
                if (stood > Suspicious) (unexplained, look) = (stood, null);
                // A table that does not answer, right after a freeze, is asked again.
                if (look is { IsCompleted: true } && await look) unexplained = null;
                if (look is { IsCompleted: false } || (unexplained is null && row.Missing == 0 && time.GetElapsedTime(asked) < Unasked))
                    continue;
                (look, asked) = (EndIfGivenUp(unexplained), last);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <param name="stood">How long this process stood still; null: not that one knew.</param>
    /// <returns>Whether the table answered.</returns>
    private async Task<bool> EndIfGivenUp(TimeSpan? stood)
    {
        try
        {
            var rows = await table.ReadRowAsync(local.SiloAddress);
            var own = rows.Members.Select(m => m.Item1).FirstOrDefault(m => m.SiloAddress.Equals(local.SiloAddress));
            if (own is null) return Miss();
            row.Found();
            if (own.Status != SiloStatus.Dead) return true;
            // A silo that leaves writes so itself.
            if (lifetime.ApplicationStopping.IsCancellationRequested) return true;
        }
#pragma warning disable CA1031 // Whatever kept the table from answering: the membership itself goes on asking.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (EmptiedStore.Is(e)) return Miss();
            if (stood is not null) LogNotRead(e);
            return false;
        }

        var why = stood is { } still ? FormattableString.Invariant($" was frozen for {still.TotalSeconds:0.#} s and") : "";
        ProcessEnd.Now($"this silo{why} was given up by the cluster; it ends. Its jobs continue elsewhere.");
        return true;
    }

    /// <returns>True: the table has answered.</returns>
    private bool Miss()
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested || row.Miss() < MostMissing) return true;
        var jobs = followed.Running.Union(ranks.Jobs).Select(job => job.ToString()).Order(StringComparer.Ordinal).ToList();
        ProcessEnd.Now(
            $"{row.Words} It ends; start it again.{(jobs.Count == 0 ? "" : $" Jobs that ran here: {string.Join(", ", jobs)}.")} Every "
            + "job's folder is left in the jobs root: 'dtrain resume ID' continues from its last checkpoint.");
        return true;
    }

    [LoggerMessage(4212, LogLevel.Warning, "The membership table did not say whether this silo was given up after it was frozen.")]
    private partial void LogNotRead(Exception error);
}
