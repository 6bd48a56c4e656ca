using Distributed.Core.Jobs;
using Microsoft.Extensions.Logging;

namespace Distributed.Grains.Workers;

internal sealed partial class WorkerGrain
{
    [LoggerMessage(3001, LogLevel.Warning,
        "Rank {Rank} of job {Job} has ended but its job grain did not take the report; told again in {Seconds} s. "
        + "If this lasts, look at the silo that holds the job and at the storage of the jobs.")]
    private partial void LogReportFailed(Exception error, int rank, JobId job, double seconds);
}
