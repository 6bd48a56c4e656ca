using Distributed.Grains.Contracts;
using Orleans.Runtime;

namespace Distributed.Silo.Cluster.Clocks;

/// <summary>At the start: asks every other silo for its time, and says so when it is another.</summary>
internal sealed partial class ClockCheck(
    IClusterMembershipService members, ILocalSiloDetails self, IDeviceServices devices, TimeProvider time, ILogger<ClockCheck> logger)
    : BackgroundService
{
    /// <summary>
    /// A difference that is told. Certificates, the order of the queue and the times in logs suffer from larger ones; training does not.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var other in members.CurrentSnapshot.Members.Values.Where(
            m => m.Status == SiloStatus.Active && !m.SiloAddress.Equals(self.SiloAddress)))
        {
            if (stoppingToken.IsCancellationRequested) return;
            if (await Ask(other) is { } difference)
                LogDiffers(
                    self.Name, difference.Own, other.Name, difference.Theirs, (difference.Theirs - difference.Own).TotalSeconds,
                    Limit.TotalSeconds);
        }
    }

    /// <param name="sent">Own time when the other was asked.</param>
    /// <param name="received">Own time of its answer.</param>
    /// <returns>
    /// Own and other time of one moment, where they differ by more than the limit, however long the way was; otherwise null.
    /// </returns>
    internal static (DateTimeOffset Own, DateTimeOffset Theirs)? Compare(
        DateTimeOffset sent, DateTimeOffset theirs, DateTimeOffset received)
    {
        var way = (received - sent) / 2;
        var own = sent + way;
        return (theirs - own).Duration() - way > Limit ? (own, theirs) : null;
    }

    private async Task<(DateTimeOffset Own, DateTimeOffset Theirs)?> Ask(ClusterMember other)
    {
        try
        {
            var sent = time.GetUtcNow();
            var theirs = await devices.On(other.SiloAddress).Clock();
            return Compare(sent, theirs, time.GetUtcNow());
        }
#pragma warning disable CA1031 // A clock that is not known ends no silo, whatever kept the other from answering.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogSilent(e, other.Name);
            return null;
        }
    }

    [LoggerMessage(4252, LogLevel.Warning,
        "The clock of silo {Silo} says {Own:yyyy-MM-dd HH:mm:ss.f}Z, that of silo {Other} at the same moment {Theirs:yyyy-MM-dd "
        + "HH:mm:ss.f}Z: {Seconds:0.#} s apart; up to {Limit} s are harmless. Set both by one time server.")]
    private partial void LogDiffers(string silo, DateTimeOffset own, string other, DateTimeOffset theirs, double seconds, double limit);

    [LoggerMessage(4253, LogLevel.Information, "Silo {Silo} did not report its time.")]
    private partial void LogSilent(Exception error, string silo);
}
