using Distributed.Core.Jobs;
using Microsoft.Extensions.Logging;

namespace Distributed.Grains.Jobs;

internal sealed partial class JobGrain
{
    [LoggerMessage(3202, LogLevel.Warning, "Rank {Rank} of job {Job} could not be started on silo {Silo}; the job fails.")]
    private partial void LogStartFailed(Exception error, int rank, string silo, JobId job);

    [LoggerMessage(
        3201, LogLevel.Warning,
        "Rank {Rank} of job {Job} on silo {Silo} did not take the order to end; it ends with its silo or at its next vote.")]
    private partial void LogAbortFailed(Exception error, int rank, string silo, JobId job);

    [LoggerMessage(
        3206, LogLevel.Information, "The coordinator of generation {Generation} of job {Job} could not be told that it is over.")]
    private partial void LogNotClosed(Exception error, int generation, JobId job);

    [LoggerMessage(3207, LogLevel.Warning, "What the folder of job {Job} says of it cannot be read; it is written again.")]
    private partial void LogNotRecalled(Exception error, JobId job);

    [LoggerMessage(3208, LogLevel.Warning, "Job {Job} was taken by an earlier version and cannot run as it is: {Why}")]
    private partial void LogOutdated(JobId job, string why);

    [LoggerMessage(
        3203, LogLevel.Warning,
        "Events of job {Job} could not be written; they are kept in memory and written later. Free space on the volume of the jobs.")]
    private partial void LogNotWritten(Exception error, JobId job);

    [LoggerMessage(3204, LogLevel.Information, "The queue did not say why job {Job} waits.")]
    private partial void LogQueueSilent(Exception error, JobId job);

    [LoggerMessage(
        3205, LogLevel.Warning,
        "Job {Job} could not yet finish its last change; tried again in {Seconds} s. If this lasts, look at the storage of the jobs.")]
    private partial void LogNotSettled(Exception error, JobId job, double seconds);
}
