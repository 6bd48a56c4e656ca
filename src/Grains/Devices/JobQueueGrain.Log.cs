using Microsoft.Extensions.Logging;

namespace Distributed.Grains.Devices;

internal sealed partial class JobQueueGrain
{
    [LoggerMessage(3101, LogLevel.Warning, "Silo {Silo} did not answer the lease for job {Job}; it is passed over this time.")]
    private partial void LogLeaseFailed(Exception error, string silo, string job);

    [LoggerMessage(3102, LogLevel.Warning, "Silo {Silo} did not take back its slots from job {Job}; when it is gone for good they went with it, otherwise restart it.")]
    private partial void LogReleaseFailed(Exception error, string silo, string job);

    [LoggerMessage(3103, LogLevel.Warning, "Job {Job} has its silos but could not be told to begin; they are given back, submit it again.")]
    private partial void LogBeginFailed(Exception error, string job);
}
