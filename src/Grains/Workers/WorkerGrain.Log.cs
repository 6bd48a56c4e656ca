using Microsoft.Extensions.Logging;

namespace Distributed.Grains.Workers;

internal sealed partial class WorkerGrain
{
    [LoggerMessage(3001, LogLevel.Warning,
        "Rank {Rank} of job {Job} has ended but its job grain did not take the report (attempt {Attempt} of {Attempts}); check the silo that holds the job.")]
    private partial void LogReportFailed(Exception error, int rank, string job, int attempt, int attempts);
}
