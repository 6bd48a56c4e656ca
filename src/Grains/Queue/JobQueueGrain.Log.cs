using Distributed.Core.Jobs;
using Microsoft.Extensions.Logging;

namespace Distributed.Grains.Queue;

internal sealed partial class JobQueueGrain
{
    [LoggerMessage(3101, LogLevel.Warning, "Silo {Silo} did not answer the lease for job {Job}; it is passed over this time.")]
    private partial void LogLeaseFailed(Exception error, string silo, JobId job);

    [LoggerMessage(
        3102, LogLevel.Warning,
        "Silo {Silo} did not take back its slots from job {Job}; it is asked again; if it is gone, so are they.")]
    private partial void LogReleaseFailed(Exception error, string silo, JobId job);

    [LoggerMessage(3103, LogLevel.Warning, "Job {Job} has its silos but could not be told to begin; they are given back; it stays queued.")]
    private partial void LogBeginFailed(Exception error, JobId job);

    [LoggerMessage(3104, LogLevel.Information, "Silo {Silo} does not answer; it is passed over until it does or is gone.")]
    private partial void LogSilent(Exception error, string silo);

    [LoggerMessage(
        3105, LogLevel.Warning, "Job {Job} does not answer the queue, which asks again. If this lasts, look at the silo that holds it.")]
    private partial void LogUnheard(Exception error, JobId job);

    [LoggerMessage(3107, LogLevel.Information, "Job {Job} could not be told to return to the queue for other silos; it is asked later.")]
    private partial void LogNotMoved(Exception error, JobId job);

    [LoggerMessage(
        3106, LogLevel.Error,
        "The queue could not be served this time; it is tried again at the next look. If this lasts, look at the storage of the jobs.")]
    private partial void LogServeFailed(Exception error);
}
