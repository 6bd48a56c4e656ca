using System.Net;

namespace Distributed.Silo.Security;

/// <summary>Counts strangers at the ports between silos, and tells of them at most once a minute.</summary>
internal sealed partial class RefusedPeers(TimeProvider time, ILogger<RefusedPeers> logger)
{
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private long count;
    private long told;

    public long Count => Interlocked.Read(ref count);

    public void Note(string endpoint, EndPoint? caller, string why)
    {
        lock (gate)
        {
            count++;
            if (told != 0 && time.GetElapsedTime(told) < Interval) return;
            told = time.GetTimestamp();
        }
        LogRefused(endpoint, caller?.ToString() ?? "an unknown address", why, Count);
    }

    [LoggerMessage(
        4203, LogLevel.Warning,
        "The {Endpoint} refused a connection from {Caller}: {Why}. Nothing of it was used; {Count} refused so far.")]
    private partial void LogRefused(string endpoint, string caller, string why, long count);
}
